package dev.bodyguard.proxy.engine;

/// Whether a peer may make a request.
public sealed interface Verdict {
    /// It may.
    ///
    /// @param by the policy that allows it, empty where none is in force
    record Allowed(String by) implements Verdict {}

    /// It may not.
    ///
    /// @param by the policy that denies it, or the allow policies none of which matched
    record Denied(String by) implements Verdict {}
}
