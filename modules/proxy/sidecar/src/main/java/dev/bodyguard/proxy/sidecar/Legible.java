package dev.bodyguard.proxy.sidecar;

import java.util.Locale;

/// A line for people in which there may be a peer's words: it stays one line, does nothing to a terminal, and ends.
final class Legible {
    private static final int LONGEST = 1_024;

    private Legible() {}

    /// Whatever is not to be seen is written as `\\u001b`; what is too long ends in `…`.
    static String of(String text) {
        var line = new StringBuilder(Math.min(text.length(), LONGEST) + 16);
        text.codePoints().limit(LONGEST).forEach(c -> {
            switch (Character.getType(c)) {
                case Character.CONTROL,
                        Character.FORMAT,
                        Character.SURROGATE,
                        Character.LINE_SEPARATOR,
                        Character.PARAGRAPH_SEPARATOR,
                        Character.UNASSIGNED,
                        Character.PRIVATE_USE -> line.append(String.format(Locale.ROOT, "\\u%04x", c));
                default -> line.appendCodePoint(c);
            }
        });
        return text.codePointCount(0, text.length()) > LONGEST
                ? line.append('…').toString()
                : line.toString();
    }
}
