package dev.bodyguard.injector.decision;

/// A text that is not what it should be: where, what, and the way out.
public final class Unreadable extends Exception {
    private static final long serialVersionUID = 1;

    private final int offset;

    Unreadable(int offset, String sentence) {
        super(sentence);
        this.offset = offset;
    }

    /// Where in the text.
    public int offset() {
        return offset;
    }
}
