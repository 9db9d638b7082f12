package dev.bodyguard.telemetry.service;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Writes JSON; the caller sees to its order.
final class Json {
    private final StringBuilder to = new StringBuilder(4_096);
    private boolean first = true;

    Json object() {
        return open('{');
    }

    Json array() {
        return open('[');
    }

    Json endObject() {
        return close('}');
    }

    Json endArray() {
        return close(']');
    }

    Json key(String key) {
        comma();
        quoted(key);
        to.append(':');
        first = true;
        return this;
    }

    Json text(@Nullable String value) {
        comma();
        if (value == null) {
            to.append("null");
        } else {
            quoted(value);
        }
        return this;
    }

    Json number(long value) {
        comma();
        to.append(value);
        return this;
    }

    /// With as many digits as are worth reading.
    Json number(@Nullable Double value) {
        comma();
        if (value == null || !Double.isFinite(value)) {
            to.append("null");
        } else {
            var text = String.format(Locale.ROOT, "%.4f", value);
            int end = text.length();
            while (text.charAt(end - 1) == '0') {
                end--;
            }
            to.append(text, 0, text.charAt(end - 1) == '.' ? end - 1 : end);
        }
        return this;
    }

    @Override
    public String toString() {
        return to.toString();
    }

    private Json open(char bracket) {
        comma();
        to.append(bracket);
        first = true;
        return this;
    }

    private Json close(char bracket) {
        to.append(bracket);
        first = false;
        return this;
    }

    private void comma() {
        if (!first) {
            to.append(',');
        }
        first = false;
    }

    private void quoted(String text) {
        to.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"', '\\' -> to.append('\\').append(c);
                case '\n' -> to.append("\\n");
                default -> {
                    // Also what a page would take for the end of its script, or of a line.
                    if (c < ' ' || c == '<' || c == 0x7f || c == 0x2028 || c == 0x2029) {
                        to.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
                    } else {
                        to.append(c);
                    }
                }
            }
        }
        to.append('"');
    }
}
