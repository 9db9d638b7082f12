package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.ClusterPlan;
import dev.bodyguard.proxy.engine.Endpoint;
import dev.bodyguard.proxy.engine.Plan;
import dev.bodyguard.proxy.engine.Transport;
import dev.bodyguard.proxy.wire.Target;
import dev.bodyguard.telemetry.record.Party;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// A plan, and what this process found out about its endpoints while it was in force.
final class Generation {
    private final Plan plan;
    private final Map<Endpoint, Place> places = new ConcurrentHashMap<>();

    private final Set<String> warming;

    Generation(Plan plan) {
        this(plan, Set.of());
    }

    /// @param warming hosts that are known and wait for their clusters
    Generation(Plan plan, Set<String> warming) {
        this.plan = plan;
        this.warming = Set.copyOf(warming);
    }

    boolean isWarming(String host) {
        return warming.contains(host);
    }

    Plan plan() {
        return plan;
    }

    /// An endpoint's facts.
    ///
    /// @param target null where its host is a name, to be resolved first
    record Place(@Nullable Target target, Party party) {}

    Place place(ClusterPlan cluster, Endpoint endpoint) {
        var known = places.get(endpoint);
        return known != null ? known : places.computeIfAbsent(endpoint, _ -> find(cluster, endpoint));
    }

    private static Place find(ClusterPlan cluster, Endpoint endpoint) {
        InetAddress literal = Resolver.literal(endpoint.host());
        var target = literal == null
                ? null
                : new Target(
                        new InetSocketAddress(literal, endpoint.port()),
                        endpoint.transport(),
                        cluster.connectTimeout());
        var there = endpoint.workload();
        boolean proven = endpoint.transport() instanceof Transport.Mtls
                && !there.principal().isEmpty();
        return new Place(
                target,
                new Party(
                        there.name(),
                        there.namespace(),
                        proven ? "spiffe://" + there.principal() : "",
                        there.app(),
                        there.version(),
                        there.app().isEmpty() ? cluster.service().name() : there.app(),
                        ""));
    }
}
