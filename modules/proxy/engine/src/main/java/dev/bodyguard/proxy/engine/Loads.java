package dev.bodyguard.proxy.engine;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicInteger;

/// Counters that survive a change of plans: requests under way by endpoint and by cluster, turns of round robin.
/// One per process. Plans hold the counters they use, so a request never looks anything up here.
public final class Loads {
    private final ConcurrentMap<Key, AtomicInteger> endpoints = new ConcurrentHashMap<>();
    private final ConcurrentMap<String, RetryBudget.Counters> budgets = new ConcurrentHashMap<>();
    private final ConcurrentMap<String, AtomicInteger> turns = new ConcurrentHashMap<>();

    /// No requests under way.
    public Loads() {}

    AtomicInteger endpoint(String cluster, String host, int port) {
        return endpoints.computeIfAbsent(new Key(cluster, host, port), _ -> new AtomicInteger());
    }

    RetryBudget.Counters budget(String cluster) {
        return budgets.computeIfAbsent(cluster, _ -> new RetryBudget.Counters());
    }

    AtomicInteger turn(String cluster) {
        return turns.computeIfAbsent(cluster, _ -> new AtomicInteger());
    }

    /// Forgets idle counters of clusters that no plan has any more. A request that began on an old plan still holds
    /// its own counter; it can only be counted apart from later ones.
    void keepOnly(Set<String> clusters) {
        endpoints
                .entrySet()
                .removeIf(e ->
                        !clusters.contains(e.getKey().cluster()) && e.getValue().get() == 0);
        budgets.keySet().removeIf(name -> !clusters.contains(name));
        turns.keySet().removeIf(name -> !clusters.contains(name));
    }

    private record Key(String cluster, String host, int port) {}
}
