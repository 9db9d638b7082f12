package dev.bodyguard.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The little JSON this command line reads and writes: maps, lists, strings, numbers, booleans, null.
final class Json {
    private static final int DEEPEST = 64;

    private static final Pattern WHOLE = Pattern.compile("-?\\d{1,18}");

    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    static String write(@Nullable Object value) {
        var out = new StringBuilder();
        write(value, out);
        return out.toString();
    }

    private static void write(@Nullable Object value, StringBuilder out) {
        switch (value) {
            case null -> out.append("null");
            case Map<?, ?> map -> {
                var separator = "";
                out.append('{');
                for (var entry : map.entrySet()) {
                    out.append(separator);
                    quote(String.valueOf(entry.getKey()), out);
                    out.append(": ");
                    write(entry.getValue(), out);
                    separator = ", ";
                }
                out.append('}');
            }
            case List<?> list -> {
                var separator = "";
                out.append('[');
                for (var item : list) {
                    out.append(separator);
                    write(item, out);
                    separator = ", ";
                }
                out.append(']');
            }
            case Number number -> out.append(number);
            case Boolean truth -> out.append(truth);
            default -> quote(value.toString(), out);
        }
    }

    private static void quote(String text, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ') {
                out.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }

    /// The object in the text, or an empty one if the text is none.
    static Map<?, ?> object(String text) {
        return read(text) instanceof Map<?, ?> map ? map : Map.of();
    }

    /// The array in the text, or an empty one if the text is none.
    static List<?> list(String text) {
        return read(text) instanceof List<?> list ? list : List.of();
    }

    private static @Nullable Object read(String text) {
        try {
            var json = new Json(text);
            var value = json.value(0);
            json.blanks();
            return json.at == text.length() ? value : null;
        } catch (IllegalArgumentException _) {
            return null;
        }
    }

    private @Nullable Object value(int depth) {
        if (depth > DEEPEST) {
            throw unexpected();
        }
        blanks();
        switch (peek()) {
            case '{' -> {
                var map = new LinkedHashMap<String, @Nullable Object>();
                at++;
                blanks();
                if (peek() == '}') {
                    at++;
                    return map;
                }
                while (true) {
                    blanks();
                    var key = string();
                    blanks();
                    expect(':');
                    map.put(key, value(depth + 1));
                    blanks();
                    if (peek() == '}') {
                        at++;
                        return map;
                    }
                    expect(',');
                }
            }
            case '[' -> {
                var list = new ArrayList<@Nullable Object>();
                at++;
                blanks();
                if (peek() == ']') {
                    at++;
                    return list;
                }
                while (true) {
                    list.add(value(depth + 1));
                    blanks();
                    if (peek() == ']') {
                        at++;
                        return list;
                    }
                    expect(',');
                }
            }
            case '"' -> {
                return string();
            }
            default -> {
                return word();
            }
        }
    }

    private @Nullable Object word() {
        int start = at;
        while (at < text.length() && "{}[],:\" \t\r\n".indexOf(text.charAt(at)) < 0) {
            at++;
        }
        return switch (text.substring(start, at)) {
            case "true" -> true;
            case "false" -> false;
            case "null" -> null;
            case String whole when WHOLE.matcher(whole).matches() -> Long.valueOf(whole);
            case String number -> Double.valueOf(number);
        };
    }

    private String string() {
        expect('"');
        var out = new StringBuilder();
        while (peek() != '"') {
            char c = text.charAt(at++);
            if (c != '\\') {
                out.append(c);
                continue;
            }
            char escaped = peek();
            at++;
            switch (escaped) {
                case 'n' -> out.append('\n');
                case 't' -> out.append('\t');
                case 'r' -> out.append('\r');
                case 'b' -> out.append('\b');
                case 'f' -> out.append('\f');
                case 'u' -> {
                    if (at + 4 > text.length()) {
                        throw unexpected();
                    }
                    out.append((char) Integer.parseInt(text.substring(at, at + 4), 16));
                    at += 4;
                }
                default -> out.append(escaped);
            }
        }
        at++;
        return out.toString();
    }

    private void blanks() {
        while (at < text.length() && text.charAt(at) <= ' ') {
            at++;
        }
    }

    private char peek() {
        if (at >= text.length()) {
            throw unexpected();
        }
        return text.charAt(at);
    }

    private void expect(char c) {
        if (peek() != c) {
            throw unexpected();
        }
        at++;
    }

    private IllegalArgumentException unexpected() {
        return new IllegalArgumentException("not JSON at character " + at);
    }
}
