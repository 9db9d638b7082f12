package dev.bodyguard.cli;

/// Ends a command with one sentence for the person who typed it.
final class Failure extends RuntimeException {
    private static final long serialVersionUID = 1;

    Failure(String sentence) {
        super(sentence);
    }
}
