package dev.bodyguard.identity.client;

import java.time.Duration;
import java.time.Instant;
import java.util.random.RandomGenerator;

/// When to renew, and when to try again. Counted from the time of issue: a certificate's `notBefore` lies before it,
/// for a life of seconds further before it than the life is long.
final class Renewal {
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(60);
    private static final Duration LONGEST_FIRST_PAUSE = Duration.ofSeconds(5);
    private static final Duration SHORTEST_PAUSE = Duration.ofMillis(100);

    private Renewal() {}

    /// At 2/3 of the life, give or take 1/40 of it, so that what started together does not renew together.
    static Instant due(Instant issued, Instant expires, RandomGenerator random) {
        var life = Duration.between(issued, expires).toMillis();
        var spread = life / 40;
        return issued.plusMillis(life * 2 / 3 + (spread > 0 ? random.nextLong(-spread, spread + 1) : 0));
    }

    /// The pause after the n-th failure in a row (the first is 1): doubled each time, and short beside the life, so
    /// that a certificate of 10 s has a good ten tries before it expires.
    static Duration pause(int failures, Duration life, RandomGenerator random) {
        var longest = min(LONGEST_PAUSE, life.dividedBy(30));
        return drawn(failures, min(Duration.ofSeconds(1), longest), longest, random);
    }

    /// The pause after the n-th failure while there is no certificate at all.
    static Duration firstPause(int failures, RandomGenerator random) {
        return drawn(failures, Duration.ofMillis(200), LONGEST_FIRST_PAUSE, random);
    }

    private static Duration drawn(int failures, Duration first, Duration longest, RandomGenerator random) {
        var grown = min(longest, first.multipliedBy(1L << Math.min(failures - 1, 16)));
        var drawn = grown.toMillis() / 2 + random.nextLong(grown.toMillis() / 2 + 1);
        return Duration.ofMillis(Math.max(drawn, SHORTEST_PAUSE.toMillis()));
    }

    private static Duration min(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }
}
