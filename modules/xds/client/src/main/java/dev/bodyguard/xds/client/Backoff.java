package dev.bodyguard.xds.client;

import java.time.Duration;
import java.util.random.RandomGenerator;

/// How long to wait before the next attempt: doubling from `least` to `most`, each drawn between half and all of it,
/// so that a thousand clients of a restarted server do not come back in one moment.
final class Backoff {
    private final Duration least;
    private final Duration most;
    private final RandomGenerator random;
    private Duration next;

    Backoff(Duration least, Duration most, RandomGenerator random) {
        this.least = least;
        this.most = most;
        this.random = random;
        this.next = least;
    }

    void reset() {
        next = least;
    }

    Duration draw() {
        var ceiling = next;
        var doubled = ceiling.multipliedBy(2);
        next = doubled.compareTo(most) > 0 ? most : doubled;
        var half = ceiling.toNanos() / 2;
        return Duration.ofNanos(half + random.nextLong(half + 1));
    }
}
