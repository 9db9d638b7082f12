package dev.bodyguard.identity.service;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;

/// How often each service account may have something signed: a burst, then a steady rate. A bucket of tokens per
/// account; those that are full again are forgotten.
final class Allowance {
    private static final int KNOWN_AT_MOST = 10_000;

    private final int burst;
    private final Duration refill;
    private final InstantSource clock;
    /// Account to the time when its bucket is full again, least recently used first. Guarded by this.
    private final Map<String, Instant> fullAt = new LinkedHashMap<>(16, 0.75f, true);

    /// @param refill the time in which one more becomes allowed
    Allowance(int burst, Duration refill, InstantSource clock) {
        this.burst = burst;
        this.refill = refill;
        this.clock = clock;
    }

    synchronized boolean take(String account) {
        var now = clock.instant();
        var known = fullAt.get(account);
        var full = known == null || known.isBefore(now) ? now : known;
        var next = full.plus(refill);
        if (next.isAfter(now.plus(refill.multipliedBy(burst)))) {
            return false;
        }
        fullAt.put(account, next);
        if (fullAt.size() > KNOWN_AT_MOST) {
            fullAt.remove(fullAt.keySet().iterator().next());
        }
        return true;
    }
}
