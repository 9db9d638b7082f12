package dev.bodyguard.proxy.sidecar;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Texts in JSON.
final class Json {
    private Json() {}

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
