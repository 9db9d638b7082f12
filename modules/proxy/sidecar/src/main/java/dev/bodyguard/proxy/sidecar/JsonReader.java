package dev.bodyguard.proxy.sidecar;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// JSON (RFC 8259) as trees of maps, lists, texts, numbers, truths and nulls; what [Json] writes. Bounded in depth, so
/// that no text can exhaust the stack; its length is the caller's to bound.
final class JsonReader {
    private static final int DEEPEST = 32;

    private final String text;
    private int at;

    private JsonReader(String text) {
        this.text = text;
    }

    /// @throws IllegalArgumentException with a sentence that names the place
    static @Nullable Object read(String text) {
        var reader = new JsonReader(text);
        var value = reader.value(0);
        reader.skipSpace();
        if (reader.at < text.length()) {
            throw reader.wrong("nothing more");
        }
        return value;
    }

    private @Nullable Object value(int depth) {
        if (depth > DEEPEST) {
            throw wrong("at most " + DEEPEST + " levels");
        }
        skipSpace();
        return switch (at < text.length() ? text.charAt(at) : ' ') {
            case '{' -> object(depth);
            case '[' -> array(depth);
            case '"' -> string();
            case 't' -> word("true", true);
            case 'f' -> word("false", false);
            case 'n' -> word("null", null);
            default -> number();
        };
    }

    private Map<String, @Nullable Object> object(int depth) {
        var fields = new LinkedHashMap<String, @Nullable Object>();
        at++;
        if (found('}')) {
            return fields;
        }
        do {
            skipSpace();
            var name = string();
            expect(':');
            if (fields.containsKey(name)) {
                throw wrong("each name once, not " + name + " again");
            }
            fields.put(name, value(depth + 1));
        } while (found(','));
        expect('}');
        return fields;
    }

    private List<@Nullable Object> array(int depth) {
        var items = new ArrayList<@Nullable Object>();
        at++;
        if (found(']')) {
            return items;
        }
        do {
            items.add(value(depth + 1));
        } while (found(','));
        expect(']');
        return items;
    }

    private String string() {
        if (at >= text.length() || text.charAt(at) != '"') {
            throw wrong("a text in quotes");
        }
        at++;
        var read = new StringBuilder();
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c == '"') {
                return read.toString();
            }
            if (c < ' ') {
                at--;
                throw wrong("control characters escaped");
            }
            read.append(c == '\\' ? escaped() : c);
        }
        throw wrong("the text's closing quote");
    }

    private char escaped() {
        char c = at < text.length() ? text.charAt(at++) : ' ';
        return switch (c) {
            case '"', '\\', '/' -> c;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> {
                int code = 0;
                for (int i = 0; i < 4; i++) {
                    int digit = at < text.length() ? Character.digit(text.charAt(at), 16) : -1;
                    if (digit < 0) {
                        throw wrong("four hexadecimal digits");
                    }
                    code = code * 16 + digit;
                    at++;
                }
                yield (char) code;
            }
            default -> throw wrong("an escape of JSON");
        };
    }

    private <T extends @Nullable Object> T word(String word, T value) {
        if (!text.startsWith(word, at)) {
            throw wrong(word);
        }
        at += word.length();
        return value;
    }

    private Number number() {
        int from = at;
        while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        var digits = text.substring(from, at);
        try {
            if (digits.matches("-?[0-9]{1,18}")) {
                return Long.valueOf(digits);
            }
            return Double.valueOf(digits);
        } catch (NumberFormatException _) {
            at = from;
            throw wrong("a value");
        }
    }

    private boolean found(char c) {
        skipSpace();
        if (at < text.length() && text.charAt(at) == c) {
            at++;
            return true;
        }
        return false;
    }

    private void expect(char c) {
        if (!found(c)) {
            throw wrong("'" + c + "'");
        }
    }

    private void skipSpace() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private IllegalArgumentException wrong(String wanted) {
        return new IllegalArgumentException("JSON: expected " + wanted + " at character " + (at + 1));
    }
}
