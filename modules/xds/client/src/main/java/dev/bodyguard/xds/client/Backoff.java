package dev.bodyguard.xds.client;

import java.time.Duration;
import java.util.random.RandomGenerator;

/// How long to wait before the next attempt: doubling from `least`, each drawn between half and all of it, so that a
/// thousand clients of a restarted server do not come back in one moment.
///
/// A restart takes some seconds, and who waits for its end with ever longer pauses misses it by as much again. So the
/// pauses stay at `soon` until a good number of attempts has failed; only then do they grow to `most`.
final class Backoff {
    private static final int SOON_ATTEMPTS = 40;

    private final Duration least;
    private final Duration soon;
    private final Duration most;
    private final RandomGenerator random;
    private Duration next;
    private int attempts;

    Backoff(Duration least, Duration soon, Duration most, RandomGenerator random) {
        this.least = least;
        this.soon = soon;
        this.most = most;
        this.random = random;
        this.next = least;
    }

    void reset() {
        next = least;
        attempts = 0;
    }

    Duration draw() {
        attempts++;
        var ceiling = next;
        var bound = attempts < SOON_ATTEMPTS ? soon : most;
        var doubled = ceiling.multipliedBy(2);
        next = doubled.compareTo(bound) > 0 ? bound : doubled;
        var half = ceiling.toNanos() / 2;
        return Duration.ofNanos(half + random.nextLong(half + 1));
    }
}
