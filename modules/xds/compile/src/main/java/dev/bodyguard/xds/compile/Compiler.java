package dev.bodyguard.xds.compile;

import dev.bodyguard.model.Mesh;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import java.util.List;
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
    private final Outsiders outsiders;
    private final Map<View, Optional<VirtualHost>> virtualHostsByView = new ConcurrentHashMap<>();
    private final Map<Place, Optional<Cluster>> clustersByPlace = new ConcurrentHashMap<>();
    private final Map<Place, Optional<ClusterLoadAssignment>> endpointsByPlace = new ConcurrentHashMap<>();

    public Compiler(Mesh mesh, Settings settings) {
        listeners = new Listeners(mesh, settings);
        virtualHosts = new VirtualHosts(mesh);
        clusters = new Clusters(mesh, settings);
        outsiders = new Outsiders(mesh, virtualHosts);
    }

    @Override
    public Optional<Listener> listener(Proxy proxy, String name) {
        return switch (proxy.kind()) {
            case Kind.Sidecar _ ->
                switch (name) {
                    case "outbound" -> Optional.of(listeners.outbound(proxy));
                    case "inbound" -> Optional.of(listeners.inbound(proxy));
                    default -> Optional.empty();
                };
            case Kind.Envoy envoy ->
                name.equals("outbound") ? Optional.of(Listeners.outbound(envoy)) : Optional.empty();
            case Kind.Grpc _ -> outsiders.target(proxy, name).map(host -> Listeners.target(name, host));
        };
    }

    @Override
    public List<String> listeners(Proxy proxy) {
        return switch (proxy.kind()) {
            case Kind.Sidecar _ -> List.of("outbound", "inbound");
            case Kind.Envoy _ -> List.of("outbound");
            case Kind.Grpc _ -> outsiders.targets(proxy);
        };
    }

    @Override
    public Optional<RouteConfiguration> routes(Proxy proxy, String name) {
        return proxy.kind() instanceof Kind.Envoy envoy && name.equals("outbound")
                ? Optional.of(outsiders.routes(proxy, envoy, listeners.elsewhere(proxy)))
                : Optional.empty();
    }

    @Override
    public List<String> clusters(Proxy proxy) {
        return switch (proxy.kind()) {
            case Kind.Sidecar _ -> List.of();
            case Kind.Envoy _, Kind.Grpc _ ->
                outsiders.clusters(proxy).stream()
                        .filter(name -> cluster(proxy.kind(), name).isPresent())
                        .toList();
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
    public Optional<Cluster> cluster(Kind kind, String name) {
        return switch (name) {
            case PASSTHROUGH -> Optional.of(Clusters.passthrough());
            case INBOUND_PASSTHROUGH -> Optional.of(Clusters.inboundPassthrough());
            case BLACK_HOLE -> Optional.of(Clusters.blackHole());
            default ->
                remembered(
                        clustersByPlace,
                        new Place(kind.sharing(), name),
                        place -> Names.of(name).flatMap(one -> switch (one) {
                            case Names.Outbound outbound -> clusters.outbound(place.kind(), outbound);
                            case Names.Inbound inbound -> Optional.of(clusters.inbound(inbound));
                        }));
        };
    }

    @Override
    public Optional<ClusterLoadAssignment> endpoints(Kind kind, String name) {
        return remembered(
                endpointsByPlace,
                new Place(kind.sharing(), name),
                place -> Names.of(name).flatMap(one -> switch (one) {
                    case Names.Outbound outbound -> clusters.endpoints(place.kind(), outbound);
                    case Names.Inbound _ -> Optional.empty();
                }));
    }

    private record Place(Kind kind, String name) {}

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
