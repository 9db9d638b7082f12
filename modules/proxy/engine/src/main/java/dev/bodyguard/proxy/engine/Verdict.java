package dev.bodyguard.proxy.engine;

/// Whether a peer may make a request.
public sealed interface Verdict {
    /// It may.
    ///
    /// @param by the policy that allows it, empty where none is in force
    record Allowed(String by) implements Verdict {}

    /// It may not: a policy says so.
    record Denied(String by) implements Verdict {}

    /// It may not: there are policies that allow, and none of them allows it.
    ///
    /// @param among these policies, with commas between them; empty where the list is
    record Unmatched(String among) implements Verdict {}
}
