package dev.bodyguard.proxy.engine;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import io.envoyproxy.envoy.type.matcher.v3.RegexMatcher;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import java.util.function.Predicate;

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
        try {
            Pattern pattern = Pattern.compile(matcher.getRegex());
            return text -> pattern.matcher(text).matches();
        } catch (PatternSyntaxException wrong) {
            throw new Invalid(
                    field,
                    "must be an RE2 expression, was " + matcher.getRegex() + " (" + wrong.getDescription() + ")");
        }
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
