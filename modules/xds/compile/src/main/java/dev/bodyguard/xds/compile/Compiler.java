package dev.bodyguard.xds.compile;

import dev.bodyguard.model.Mesh;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/// The resources of one mesh, compiled when they are first asked for and remembered. Safe for many threads.
///
/// A mesh is immutable, so a new one takes a new compiler; what did not change comes out equal.
public final class Compiler implements Resources {
    // A client chooses the names, so what is remembered must end somewhere; past this, answers are computed anew.
    private static final int MOST_REMEMBERED = 50_000;

    private final Listeners listeners;
    private final VirtualHosts virtualHosts;
    private final Clusters clusters;
    private final Map<View, Optional<VirtualHost>> virtualHostsByView = new ConcurrentHashMap<>();
    private final Map<String, Optional<Cluster>> clustersByName = new ConcurrentHashMap<>();
    private final Map<String, Optional<ClusterLoadAssignment>> endpointsByName = new ConcurrentHashMap<>();

    public Compiler(Mesh mesh, Settings settings) {
        listeners = new Listeners(mesh, settings);
        virtualHosts = new VirtualHosts(mesh);
        clusters = new Clusters(mesh, settings);
    }

    @Override
    public Optional<Listener> listener(Proxy proxy, String name) {
        return switch (name) {
            case "outbound" -> Optional.of(listeners.outbound(proxy));
            case "inbound" -> Optional.of(listeners.inbound(proxy));
            default -> Optional.empty();
        };
    }

    @Override
    public Optional<VirtualHost> virtualHost(Proxy proxy, String name) {
        // Routes depend on a client's namespace and labels, not on who it is.
        var view = new View(proxy.namespace(), proxy.labels(), name);
        return remembered(virtualHostsByView, view, _ -> virtualHosts.compile(proxy, name));
    }

    private record View(String namespace, Map<String, String> labels, String name) {}

    @Override
    public Optional<Cluster> cluster(String name) {
        return switch (name) {
            case PASSTHROUGH -> Optional.of(Clusters.passthrough());
            case BLACK_HOLE -> Optional.of(Clusters.blackHole());
            default ->
                remembered(
                        clustersByName,
                        name,
                        _ -> Names.of(name).flatMap(one -> switch (one) {
                            case Names.Outbound outbound -> clusters.outbound(outbound);
                            case Names.Inbound inbound -> Optional.of(clusters.inbound(inbound));
                        }));
        };
    }

    @Override
    public Optional<ClusterLoadAssignment> endpoints(String name) {
        return remembered(
                endpointsByName,
                name,
                _ -> Names.of(name).flatMap(one -> switch (one) {
                    case Names.Outbound outbound -> clusters.endpoints(outbound);
                    case Names.Inbound _ -> Optional.empty();
                }));
    }

    private static <K, R> Optional<R> remembered(
            Map<K, Optional<R>> memory, K key, Function<? super K, Optional<R>> compile) {
        var known = memory.get(key);
        if (known != null) {
            return known;
        }
        var answer = compile.apply(key);
        if (answer.isPresent() && memory.size() < MOST_REMEMBERED) {
            memory.put(key, answer);
        }
        return answer;
    }
}
