package dev.bodyguard.proxy.engine;

import java.util.HashSet;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import java.util.function.LongUnaryOperator;

/// What survives a change of plans: requests under way by endpoint and by cluster, turns of round robin, who is
/// ejected, and who came when. One per process. Plans hold what they use, so a request never looks anything up
/// here.
public final class Loads {
    private final ConcurrentMap<Key, AtomicInteger> endpoints = new ConcurrentHashMap<>();
    private final ConcurrentMap<String, RetryBudget.Counters> budgets = new ConcurrentHashMap<>();
    private final ConcurrentMap<String, AtomicInteger> turns = new ConcurrentHashMap<>();
    private final ConcurrentMap<String, Outliers> outliers = new ConcurrentHashMap<>();
    private final ConcurrentMap<String, Arrivals> arrivals = new ConcurrentHashMap<>();
    private final LongSupplier clock;
    private final LongUnaryOperator chance;
    private final Ejections ejections;

    /// No requests under way; ejections happen by this machine's clock, and nobody hears of them.
    public Loads() {
        this(System::nanoTime, bound -> ThreadLocalRandom.current().nextLong(bound), Ejections.UNHEARD);
    }

    /// No requests under way.
    ///
    /// @param clock nanoseconds from anywhere, never going back
    /// @param chance gives a number from 0 to below its bound; on any thread
    public Loads(LongSupplier clock, LongUnaryOperator chance, Ejections ejections) {
        this.clock = clock;
        this.chance = chance;
        this.ejections = ejections;
    }

    AtomicInteger endpoint(String cluster, String host, int port) {
        return endpoints.computeIfAbsent(new Key(cluster, host, port), _ -> new AtomicInteger());
    }

    RetryBudget.Counters budget(String cluster) {
        return budgets.computeIfAbsent(cluster, _ -> new RetryBudget.Counters());
    }

    AtomicInteger turn(String cluster) {
        return turns.computeIfAbsent(cluster, _ -> new AtomicInteger());
    }

    Outliers outliers(String cluster) {
        return outliers.computeIfAbsent(cluster, _ -> new Outliers(clock, chance, ejections));
    }

    Arrivals arrivals(String cluster) {
        return arrivals.computeIfAbsent(cluster, _ -> new Arrivals(clock));
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
        arrivals.keySet().removeIf(name -> {
            ClusterPlan cluster = clusters.get(name);
            return cluster == null || !cluster.warms();
        });
        outliers.entrySet().removeIf(entry -> {
            ClusterPlan cluster = clusters.get(entry.getKey());
            if (cluster != null && cluster.ejects()) {
                return false;
            }
            if (cluster != null) {
                entry.getValue().dissolve();
            }
            return true;
        });
    }

    /// Endpoints that are counted.
    int size() {
        return endpoints.size();
    }

    private record Key(String cluster, String host, int port) {}
}
