package dev.bodyguard.injector.decision;

/// A text as lines.
final class Lines {
    private Lines() {}

    /// Where the line of this place begins.
    static int start(String text, int at) {
        return text.lastIndexOf('\n', at - 1) + 1;
    }

    /// Where the line after this place's begins, or the text ends.
    static int next(String text, int at) {
        int newline = text.indexOf('\n', at);
        return newline < 0 ? text.length() : newline + 1;
    }

    /// How the line before this beginning of a line ends.
    static String breakBefore(String text, int start) {
        return start > 1 && text.charAt(start - 2) == '\r' ? "\r\n" : "\n";
    }

    static int number(String text, int at) {
        return (int) text.substring(0, Math.min(at, text.length()))
                        .chars()
                        .filter(c -> c == '\n')
                        .count()
                + 1;
    }
}
