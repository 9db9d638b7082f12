package dev.bodyguard.proxy.sidecar;

import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Texts in JSON, and trees of maps and lists.
final class Json {
    private Json() {}

    static String of(@Nullable Object value) {
        var to = new StringBuilder();
        write(to, value);
        return to.append('\n').toString();
    }

    private static void write(StringBuilder to, @Nullable Object value) {
        switch (value) {
            case null -> to.append("null");
            case Map<?, ?> map -> {
                var before = '{';
                for (var entry : map.entrySet()) {
                    text(to.append(before), String.valueOf(entry.getKey()));
                    write(to.append(':'), entry.getValue());
                    before = ',';
                }
                to.append(map.isEmpty() ? "{}" : "}");
            }
            case Collection<?> items -> {
                var before = '[';
                for (var item : items) {
                    write(to.append(before), item);
                    before = ',';
                }
                to.append(items.isEmpty() ? "[]" : "]");
            }
            case Number number -> to.append(number);
            case Boolean truth -> to.append(truth);
            default -> text(to, value.toString());
        }
    }

    static void text(StringBuilder to, @Nullable String value) {
        if (value == null) {
            to.append("null");
            return;
        }
        to.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' || c == '\\') {
                to.append('\\').append(c);
            } else if (c < ' ' || c == 0x7f) {
                to.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                to.append(c);
            }
        }
        to.append('"');
    }
}
