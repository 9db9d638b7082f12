package dev.bodyguard.proxy.engine;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import io.envoyproxy.envoy.type.matcher.v3.RegexMatchAndSubstitute;
import io.envoyproxy.envoy.type.matcher.v3.RegexMatcher;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/// `StringMatcher`s, compiled.
final class Texts {
    private Texts() {}

    static Predicate<CharSequence> compile(StringMatcher matcher, String field) throws Invalid {
        boolean fold = matcher.getIgnoreCase();
        return switch (matcher.getMatchPatternCase()) {
            case EXACT -> {
                String wanted = matcher.getExact();
                yield text -> text.length() == wanted.length() && regionMatches(text, 0, wanted, fold);
            }
            case PREFIX -> {
                String wanted = matcher.getPrefix();
                yield text -> regionMatches(text, 0, wanted, fold);
            }
            case SUFFIX -> {
                String wanted = matcher.getSuffix();
                yield text -> regionMatches(text, text.length() - wanted.length(), wanted, fold);
            }
            case CONTAINS -> {
                String wanted = matcher.getContains();
                yield text -> contains(text, wanted, fold);
            }
            case SAFE_REGEX -> regex(matcher.getSafeRegex(), field);
            case CUSTOM, MATCHPATTERN_NOT_SET ->
                throw new Invalid(
                        field,
                        "must be exact, prefix, suffix, contains or safe_regex, was " + matcher.getMatchPatternCase());
        };
    }

    /// Matches whole texts, in linear time.
    static Predicate<CharSequence> regex(RegexMatcher matcher, String field) throws Invalid {
        Pattern pattern = pattern(matcher, field);
        return text -> pattern.matcher(text).matches();
    }

    private static Pattern pattern(RegexMatcher matcher, String field) throws Invalid {
        try {
            return Pattern.compile(matcher.getRegex());
        } catch (PatternSyntaxException wrong) {
            throw new Invalid(
                    field,
                    "must be an RE2 expression, was " + matcher.getRegex() + " (" + wrong.getDescription() + ")");
        }
    }

    /// Puts the substitution in place of every match; `\1` stands for the first group, `\\` for a backslash.
    static UnaryOperator<String> substitution(RegexMatchAndSubstitute rewrite, String field) throws Invalid {
        Pattern pattern = pattern(rewrite.getPattern(), field + ".pattern");
        String written = rewrite.getSubstitution();
        var replacement = new StringBuilder();
        for (int i = 0; i < written.length(); i++) {
            char c = written.charAt(i);
            char next = i + 1 < written.length() ? written.charAt(i + 1) : ' ';
            if (c != '\\') {
                replacement.append('\\').append(c);
            } else if (next == '\\') {
                replacement.append("\\\\");
                i++;
            } else if (next >= '0' && next - '0' <= pattern.groupCount()) {
                replacement.append('$').append(next);
                i++;
            } else {
                throw new Invalid(
                        field + ".substitution",
                        "must have a backslash or the number of a group after a backslash, was " + written);
            }
        }
        String with = replacement.toString();
        return path -> pattern.matcher(path).replaceAll(with);
    }

    /// What something is due to, without the file and line, which concern only who can read the file.
    static String withoutPlace(String origin) {
        int place = origin.endsWith(")") ? origin.lastIndexOf(" (") : -1;
        return place < 0 ? origin : origin.substring(0, place);
    }

    /// The object that something is due to: `RateLimit default/pay` of
    /// `RateLimit default/pay spec.rules[0] (pay.yaml:7:7)`.
    static String object(String origin) {
        var words = origin.split(" ", 3);
        return words.length > 1 && words[1].indexOf('/') > 0 ? words[0] + " " + words[1] : origin;
    }

    static boolean regionMatches(CharSequence text, int from, String wanted, boolean fold) {
        if (from < 0 || text.length() - from < wanted.length()) {
            return false;
        }
        if (text instanceof String string) {
            return string.regionMatches(fold, from, wanted, 0, wanted.length());
        }
        for (int i = 0; i < wanted.length(); i++) {
            char a = text.charAt(from + i);
            char b = wanted.charAt(i);
            if (a != b && !(fold && Character.toLowerCase(a) == Character.toLowerCase(b))) {
                return false;
            }
        }
        return true;
    }

    private static boolean contains(CharSequence text, String wanted, boolean fold) {
        for (int from = 0; from <= text.length() - wanted.length(); from++) {
            if (regionMatches(text, from, wanted, fold)) {
                return true;
            }
        }
        return false;
    }
}
