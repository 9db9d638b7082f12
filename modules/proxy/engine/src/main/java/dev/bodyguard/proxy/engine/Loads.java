package dev.bodyguard.proxy.engine;

import java.util.HashSet;
import java.util.Map;
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

    /// Forgets counters of endpoints and clusters that are in no plan any more, an endpoint's once it is idle. A
    /// request that began on an old plan still holds its own counter; it can only be counted apart from later ones.
    void keepOnly(Map<String, ClusterPlan> clusters) {
        var used = new HashSet<AtomicInteger>();
        for (ClusterPlan cluster : clusters.values()) {
            cluster.endpoints().forEach(endpoint -> used.add(endpoint.load()));
        }
        endpoints.values().removeIf(load -> load.get() == 0 && !used.contains(load));
        budgets.keySet().removeIf(name -> !clusters.containsKey(name));
        turns.keySet().removeIf(name -> !clusters.containsKey(name));
    }

    /// Endpoints that are counted.
    int size() {
        return endpoints.size();
    }

    private record Key(String cluster, String host, int port) {}
}
