package dev.bodyguard.xds.compile;

import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import java.util.List;
import java.util.Optional;

/// The xDS resources of a mesh, by name. A name that means nothing has none.
public interface Resources {
    /// `outbound` or `inbound` of a sidecar, `outbound` of an Envoy, a gRPC client's target: `payment-service:80`.
    Optional<Listener> listener(Proxy proxy, String name);

    /// `outbound` of an Envoy: every virtual host that it can see. The others get theirs one by one.
    Optional<RouteConfiguration> routes(Proxy proxy, String name);

    /// `<port>/<authority as the application wrote it>`: `80/payment-service`.
    Optional<VirtualHost> virtualHost(Proxy proxy, String name);

    /// `outbound|<port>|<subset>|<host>`, `inbound|<application port>||`, [#PASSTHROUGH] or [#BLACK_HOLE].
    Optional<Cluster> cluster(Kind kind, String name);

    /// The endpoints of a cluster, by the cluster's name; present, be it without any endpoint, for every cluster whose
    /// endpoints are discovered.
    Optional<ClusterLoadAssignment> endpoints(Kind kind, String name);

    /// The listeners of a client that asks for all.
    List<String> listeners(Proxy proxy);

    /// The clusters of a client that asks for all; a sidecar does not.
    List<String> clusters(Proxy proxy);

    /// The cluster that leads to wherever the client was going.
    String PASSTHROUGH = "PassthroughCluster";

    /// Of connections to a workload's ports that no document and no declaration speaks of: where they were going.
    String INBOUND_PASSTHROUGH = "InboundPassthroughCluster";

    /// The cluster that leads nowhere.
    String BLACK_HOLE = "BlackHoleCluster";
}
