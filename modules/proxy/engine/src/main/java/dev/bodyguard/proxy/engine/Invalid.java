package dev.bodyguard.proxy.engine;

/// A resource says something that cannot be put in force. The message names the field, its value and what would be
/// right, from the resource's root.
final class Invalid extends Exception {
    private static final long serialVersionUID = 1L;

    Invalid(String field, String message) {
        super(field + ": " + message);
    }
}
