package dev.bodyguard.tracing;

import java.time.Instant;
import java.util.concurrent.TimeUnit;

/// Moments of [System#nanoTime()], by which we measure, as spans have them: in nanoseconds since 1970. One is good for
/// one
/// trace: its durations are right even if the clock on the wall is set meanwhile.
public record Moments(long sinceEpoch) {
    /// By the clock on the wall as it is now.
    public static Moments now() {
        var now = Instant.now();
        return new Moments(TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano() - System.nanoTime());
    }

    public long of(long nanoTime) {
        return nanoTime + sinceEpoch;
    }
}
