package dev.bodyguard.service;

import java.util.stream.Collectors;
import java.util.stream.Stream;

/// JSON text, written.
public final class Json {
    private Json() {}

    /// An array.
    ///
    /// @param items JSON already
    public static String array(Stream<String> items) {
        return items.collect(Collectors.joining(",", "[", "]"));
    }

    /// An item of `/problems`.
    ///
    /// @param severity ERROR where something that is wanted is not in force, else WARNING
    public static String problem(String severity, String sentence) {
        return "{\"severity\":" + string(severity) + ",\"problem\":" + string(sentence) + "}";
    }

    public static String string(String text) {
        var json = new StringBuilder("\"");
        text.chars().forEach(c -> {
            switch (c) {
                case '"' -> json.append("\\\"");
                case '\\' -> json.append("\\\\");
                case '\n' -> json.append("\\n");
                default -> {
                    if (c < ' ') {
                        json.append(String.format("\\u%04x", c));
                    } else {
                        json.append((char) c);
                    }
                }
            }
        });
        return json.append('"').toString();
    }
}
