package dev.bodyguard.telemetry.service;

import java.time.Duration;

/// What can happen to the telemetry service.
public interface Events {
    /// A report was not taken.
    ///
    /// @param peer its SPIFFE id, or where it came from
    void refused(String peer, String why);

    /// Spans could not be handed on; they wait, as far as there is room.
    void exportFailed(String target, String why, Duration retryIn);

    /// Spans were handed on.
    ///
    /// @param took with all attempts
    void exported(String target, int spans, Duration took);

    /// Spans were refused for good.
    ///
    /// @param took with all attempts
    void exportRefused(String target, String why, int spans, Duration took);

    /// Spans go out again.
    void exportResumed(String target);
}
