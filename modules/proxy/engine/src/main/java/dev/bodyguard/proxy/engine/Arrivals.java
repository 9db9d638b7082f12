package dev.bodyguard.proxy.engine;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/// Since when the ready endpoints of one cluster are there, the same in every plan that has it. Those that are
/// there when the cluster is first heard of have come then.
final class Arrivals {
    private final LongSupplier clock;
    // Guarded by this.
    private final Map<String, Long> since = new HashMap<>();

    /// @param clock nanoseconds from anywhere
    Arrivals(LongSupplier clock) {
        this.clock = clock;
    }

    LongSupplier clock() {
        return clock;
    }

    /// When each of those came that are there now. All others are gone: one that returns comes anew.
    synchronized Map<String, Long> of(Collection<String> there) {
        since.keySet().retainAll(there);
        long now = clock.getAsLong();
        there.forEach(address -> since.putIfAbsent(address, now));
        return Map.copyOf(since);
    }
}
