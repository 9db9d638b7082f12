package dev.bodyguard.xds.client;

import java.time.Duration;
import java.util.random.RandomGenerator;

/// How long to wait before the next attempt: doubling from 100 ms, each drawn between half and all of it, so that a
/// thousand clients of a restarted server do not come back in one moment.
///
/// A restart takes some seconds, an outage often less than a minute, and who waits for its end with ever longer pauses
/// misses it by as much again. So the pauses stay short until a minute was spent on them, and only then grow to 10 s.
final class Backoff {
    private static final Duration LEAST = Duration.ofMillis(100);
    private static final Duration SOON = Duration.ofSeconds(1);
    /// Where nobody listens an attempt costs that machine one packet.
    private static final Duration SOON_WHERE_NOBODY_LISTENS = Duration.ofMillis(500);
    private static final Duration MOST = Duration.ofSeconds(10);
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final RandomGenerator random;
    private Duration next = LEAST;
    private Duration waited = Duration.ZERO;

    Backoff(RandomGenerator random) {
        this.random = random;
    }

    void reset() {
        next = LEAST;
        waited = Duration.ZERO;
    }

    /// Draws the next pause.
    ///
    /// @param nobodyListens the last attempt did not even get a connection
    Duration draw(boolean nobodyListens) {
        var bound = waited.compareTo(PATIENCE) >= 0 ? MOST : nobodyListens ? SOON_WHERE_NOBODY_LISTENS : SOON;
        var ceiling = next.compareTo(bound) < 0 ? next : bound;
        next = ceiling.multipliedBy(2);
        var half = ceiling.toNanos() / 2;
        var pause = Duration.ofNanos(half + random.nextLong(half + 1));
        waited = waited.plus(pause);
        return pause;
    }
}
