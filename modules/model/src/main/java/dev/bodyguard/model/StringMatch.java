package dev.bodyguard.model;

/// A condition on a string.
public sealed interface StringMatch {
    /// It is this.
    record Exact(String value) implements StringMatch {}

    /// It begins with this.
    record Prefix(String value) implements StringMatch {}

    /// It is this path or one below it: `/a` and `/a/b`, not `/ab`.
    ///
    /// @param path begins with a slash and does not end with one, unless it is `/`, which is every path
    record Under(String path) implements StringMatch {}

    /// The whole of it matches this RE2 expression.
    record Regex(String value) implements StringMatch {}

    /// It is there, whatever it is.
    record Present() implements StringMatch {}
}
