package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.ClusterPlan;
import dev.bodyguard.proxy.engine.Endpoint;
import dev.bodyguard.proxy.engine.Plan;
import dev.bodyguard.proxy.engine.Refusal;
import dev.bodyguard.proxy.engine.Routing;
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
    private final MeshHosts ours;

    Generation(Plan plan) {
        this(plan, Set.of(), new MeshHosts());
    }

    /// @param warming hosts that are known and wait for their clusters
    /// @param ours hosts that are not taken for strangers'
    Generation(Plan plan, Set<String> warming, MeshHosts ours) {
        this.plan = plan;
        this.warming = Set.copyOf(warming);
        this.ours = ours;
    }

    /// Why a host about which nothing was said in time is refused, rather than taken for a stranger's; null where the
    /// outbound policy decides.
    @Nullable
    Refusal unanswered(Authority host) {
        if (warming.contains(host.key())) {
            return new Refusal.NotReadyYet(host.key());
        }
        return plan.fallback() instanceof Routing.Fallback.PassThrough && ours.claim(host)
                ? new Refusal.NotToldYet(host.key())
                : null;
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
