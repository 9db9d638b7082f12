package dev.bodyguard.proxy.engine;

import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// The spelling of a path that rules are asked about, and that a rule's own path is brought into.
///
/// What a path may hold as it is (RFC 3986 §3.3: unreserved characters, sub-delims, `:` and `@`) is unescaped, and
/// everything else is an escape in upper case. §2.2 lets an application tell `%3A` from `:`, so it gets what was sent;
/// but most servers unescape before they look, so to a rule both are one path. `%25` stays: nothing is unescaped twice.
final class Spelling {
    private static final boolean[] LITERAL = new boolean[128];

    static {
        for (char c = 'a'; c <= 'z'; c++) {
            LITERAL[c] = true;
            LITERAL[c - 'a' + 'A'] = true;
        }
        for (char c : "0123456789-._~!$&'()*+,;=:@".toCharArray()) {
            LITERAL[c] = true;
        }
    }

    private Spelling() {}

    /// The request as rules see it; itself where its path is spelled so already.
    static RequestHead of(RequestHead head) {
        var path = head.path();
        var spelled = ofPath(path);
        return spelled.equals(path) ? head : new Spelled(head, spelled);
    }

    private record Spelled(RequestHead head, String path) implements RequestHead {
        @Override
        public String method() {
            return head.method();
        }

        @Override
        public String scheme() {
            return head.scheme();
        }

        @Override
        public String authority() {
            return head.authority();
        }

        @Override
        public @Nullable CharSequence header(String name) {
            return head.header(name);
        }
    }

    /// @param path as it came, each character a byte; the query after it is left alone
    static String ofPath(String path) {
        int query = path.indexOf('?');
        int end = query < 0 ? path.length() : query;
        if (isSpelled(path, end)) {
            return path;
        }
        var spelled = spelled(path, end);
        return query < 0 ? spelled : spelled + path.substring(query);
    }

    /// A rule's text about paths, which has no query. Expressions stay as they are: theirs is to match the spelling.
    static StringMatcher of(StringMatcher rule) {
        return switch (rule.getMatchPatternCase()) {
            case EXACT -> rule.toBuilder().setExact(ofText(rule.getExact())).build();
            case PREFIX -> rule.toBuilder().setPrefix(ofText(rule.getPrefix())).build();
            case SUFFIX -> rule.toBuilder().setSuffix(ofText(rule.getSuffix())).build();
            case CONTAINS ->
                rule.toBuilder().setContains(ofText(rule.getContains())).build();
            case SAFE_REGEX, CUSTOM, MATCHPATTERN_NOT_SET -> rule;
        };
    }

    private static String ofText(String text) {
        var bytes = new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
        return spelled(bytes, bytes.length());
    }

    private static boolean isSpelled(String path, int end) {
        for (int i = 0; i < end; i++) {
            char c = path.charAt(i);
            if (c != '/' && !isLiteral(c)) {
                return false;
            }
        }
        return true;
    }

    private static boolean isLiteral(int c) {
        return c < LITERAL.length && LITERAL[c];
    }

    private static String spelled(String path, int end) {
        var text = new StringBuilder(end + 8);
        for (int i = 0; i < end; i++) {
            char c = path.charAt(i);
            int escaped = c == '%' ? escaped(path, i, end) : -1;
            if (escaped >= 0) {
                i += 2;
                if (isLiteral(escaped)) {
                    text.append((char) escaped);
                } else {
                    escape(text, escaped);
                }
            } else if (c == '/' || c == '%' || isLiteral(c)) {
                text.append(c);
            } else {
                escape(text, c);
            }
        }
        return text.toString();
    }

    /// The byte that is escaped at `i`, -1 where there is none.
    static int escaped(String path, int i, int end) {
        int high = i + 2 < end ? Character.digit(path.charAt(i + 1), 16) : -1;
        int low = i + 2 < end ? Character.digit(path.charAt(i + 2), 16) : -1;
        return high < 0 || low < 0 ? -1 : high * 16 + low;
    }

    private static void escape(StringBuilder text, int c) {
        text.append('%').append(hex(c >> 4 & 0xf)).append(hex(c & 0xf));
    }

    private static char hex(int digit) {
        return Character.toUpperCase(Character.forDigit(digit, 16));
    }
}
