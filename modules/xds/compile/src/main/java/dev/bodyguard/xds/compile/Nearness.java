package dev.bodyguard.xds.compile;

import dev.bodyguard.model.BackendPolicy.Localities;
import dev.bodyguard.model.BackendPolicy.TrafficPolicy;
import dev.bodyguard.model.Locality;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LocalityLbEndpoints;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/// Endpoints as a client at some place is to ask them, as Istio arranges them: by priorities of nearness, or in
/// shares.
final class Nearness {
    /// Of a share of one percent among its localities.
    private static final int FINE = 1_000;

    private Nearness() {}

    /// Whether it makes a difference where the client is. As in Istio there are no priorities where nobody is
    /// ejected: those nearby would go on getting what they fail to answer.
    static boolean matters(TrafficPolicy policy) {
        return switch (policy.localities()) {
            case Localities.Alike _ -> false;
            case Localities.Distributed _ -> true;
            case Localities.Nearest _ -> policy.outliers() != null;
            case null -> policy.outliers() != null;
        };
    }

    /// Puts them into an assignment.
    ///
    /// @param there endpoints by where they run
    static void arrange(
            ClusterLoadAssignment.Builder assignment,
            TrafficPolicy policy,
            Locality client,
            SortedMap<Locality, List<LbEndpoint>> there) {
        switch (policy.localities()) {
            case Localities.Distributed(var from) ->
                from.stream()
                        .filter(one -> client.isIn(one.client()))
                        .findFirst()
                        .ifPresentOrElse(
                                one -> share(assignment, one.percents(), there),
                                () -> prefer(assignment, there, Map.of()));
            case Localities.Nearest(var regions) -> prefer(assignment, there, priorities(client, regions, there));
            case Localities.Alike _ -> prefer(assignment, there, Map.of());
            case null -> prefer(assignment, there, priorities(client, Map.of(), there));
        }
    }

    /// How far each is away, without gaps, as xDS has priorities.
    private static Map<Locality, Integer> priorities(
            Locality client, Map<String, String> regions, SortedMap<Locality, List<LbEndpoint>> there) {
        var distances = new TreeMap<Integer, List<Locality>>();
        there.keySet()
                .forEach(one -> distances
                        .computeIfAbsent(distance(client, one, regions), _ -> new ArrayList<>())
                        .add(one));
        var priorities = new HashMap<Locality, Integer>();
        int priority = 0;
        for (var some : distances.values()) {
            for (var one : some) {
                priorities.put(one, priority);
            }
            priority++;
        }
        return priorities;
    }

    private static int distance(Locality client, Locality other, Map<String, String> regions) {
        if (!client.region().equals(other.region())) {
            var standsIn = regions.get(client.region());
            return standsIn == null || standsIn.equals(other.region()) ? 3 : 4;
        }
        if (!client.zone().equals(other.zone())) {
            return 2;
        }
        return client.subzone().equals(other.subzone()) ? 0 : 1;
    }

    private static void prefer(
            ClusterLoadAssignment.Builder assignment,
            SortedMap<Locality, List<LbEndpoint>> there,
            Map<Locality, Integer> priorities) {
        there.forEach((where, some) ->
                assignment.addEndpoints(at(where, some, weight(some)).setPriority(priorities.getOrDefault(where, 0))));
    }

    /// Where several localities are meant by one share they divide it by the weights of their endpoints. One that
    /// is meant by none gets nothing.
    private static void share(
            ClusterLoadAssignment.Builder assignment,
            SequencedMap<Locality, Integer> percents,
            SortedMap<Locality, List<LbEndpoint>> there) {
        var left = new TreeSet<>(there.keySet());
        percents.forEach((meant, percent) -> {
            var some = left.stream().filter(one -> one.isIn(meant)).toList();
            some.forEach(left::remove);
            long all = some.stream()
                    .mapToLong(one -> weight(endpoints(there, one)))
                    .sum();
            if (percent > 0) {
                for (var one : some) {
                    var endpoints = endpoints(there, one);
                    long weight = FINE * percent * weight(endpoints) / all;
                    assignment.addEndpoints(at(one, endpoints, Math.max(1, weight)));
                }
            }
        });
    }

    private static List<LbEndpoint> endpoints(SortedMap<Locality, List<LbEndpoint>> there, Locality where) {
        return there.getOrDefault(where, List.of());
    }

    private static long weight(List<LbEndpoint> some) {
        return some.stream()
                .mapToLong(one -> one.hasLoadBalancingWeight()
                        ? Integer.toUnsignedLong(one.getLoadBalancingWeight().getValue())
                        : 1)
                .sum();
    }

    private static LocalityLbEndpoints.Builder at(Locality where, List<LbEndpoint> some, long weight) {
        return LocalityLbEndpoints.newBuilder()
                .setLocality(io.envoyproxy.envoy.config.core.v3.Locality.newBuilder()
                        .setRegion(where.region())
                        .setZone(where.zone())
                        .setSubZone(where.subzone()))
                .setLoadBalancingWeight(Wire.number(weight))
                .addAllLbEndpoints(some);
    }
}
