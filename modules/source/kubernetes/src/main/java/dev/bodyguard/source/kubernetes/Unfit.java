package dev.bodyguard.source.kubernetes;

/// An object that cannot be taken. The message goes on from its name.
final class Unfit extends Exception {
    private static final long serialVersionUID = 1;

    Unfit(String why) {
        super(why);
    }

    String why() {
        return String.valueOf(getMessage());
    }
}
