package dev.bodyguard.proxy.engine;

import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/// How much of its weight each of a cluster's endpoints counts for now. Requests only look which step of the
/// way it is; once the last to come counts in full they do not look at the clock any more.
final class Warming {
    /// The step at which all count in full.
    static final long OVER = Long.MAX_VALUE;

    private final SlowStart policy;
    private final LongSupplier clock;
    private final Map<Endpoint, Long> since;
    private final long first;
    private final long youngest;
    /// It never becomes false again, so a loop that does not see it yet only looks at the clock once more.
    private boolean over;

    /// @param since when each came, by the clock
    Warming(SlowStart policy, LongSupplier clock, Map<Endpoint, Long> since) {
        this.policy = policy;
        this.clock = clock;
        this.since = Map.copyOf(since);
        long now = clock.getAsLong();
        long longest = 0;
        long shortest = policy.window();
        for (long came : since.values()) {
            longest = Math.max(longest, now - came);
            shortest = Math.min(shortest, now - came);
        }
        this.first = now - longest;
        this.youngest = now - shortest;
    }

    /// Another number whenever shares are others than before.
    long step() {
        if (over) {
            return OVER;
        }
        long now = clock.getAsLong();
        if (now - youngest >= policy.window()) {
            over = true;
            return OVER;
        }
        return (now - first) / policy.step();
    }

    /// The part of its weight that an endpoint counts for now.
    double share(Endpoint endpoint) {
        Long came = since.get(endpoint);
        return came == null ? 1 : policy.share(clock.getAsLong() - came);
    }

    /// The part of their weights that endpoints count for now.
    double[] shares(List<Endpoint> endpoints) {
        return endpoints.stream().mapToDouble(this::share).toArray();
    }
}
