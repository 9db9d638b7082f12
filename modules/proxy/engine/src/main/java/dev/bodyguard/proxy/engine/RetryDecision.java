package dev.bodyguard.proxy.engine;

/// Whether to try again. The cluster's [RetryBudget] has the last word on `RETRY`.
public enum RetryDecision {
    /// Try again, after [RetryPolicy#backoff].
    RETRY,
    /// The outcome is final: a success, or a failure this policy does not repeat.
    FINAL,
    /// It would be tried again, had there not been enough attempts (`URX`).
    ATTEMPTS_EXHAUSTED,
    /// It would be tried again, but the body is not there any more to send a second time.
    NOT_REPLAYABLE
}
