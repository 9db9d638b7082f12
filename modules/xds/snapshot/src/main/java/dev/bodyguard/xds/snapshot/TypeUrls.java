package dev.bodyguard.xds.snapshot;

import java.util.Comparator;
import java.util.List;

/// The types that the mesh serves, and the order in which changes to them are safe.
public final class TypeUrls {
    public static final String CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
    public static final String ENDPOINTS = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment";
    public static final String LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener";
    public static final String ROUTES = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration";
    public static final String VIRTUAL_HOST = "type.googleapis.com/envoy.config.route.v3.VirtualHost";
    public static final String SECRET = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";
    public static final String DOCUMENT = "type.googleapis.com/bodyguard.discovery.v1.Document";
    public static final String WORKLOAD = "type.googleapis.com/bodyguard.discovery.v1.Workload";

    // What is needed stands before what needs it (xDS protocol, "Eventual consistency considerations").
    private static final List<String> NEEDED_FIRST =
            List.of(SECRET, CLUSTER, ENDPOINTS, LISTENER, ROUTES, VIRTUAL_HOST);

    private TypeUrls() {}

    /// Make before break: additions in this order, removals in its reverse. Types that xDS does not order come last,
    /// by name.
    public static Comparator<String> neededFirst() {
        return Comparator.comparingInt(TypeUrls::rank).thenComparing(Comparator.naturalOrder());
    }

    /// Whether additions and removals of a type keep to an order among types. Those of others go together: half of an
    /// edit is not what its author wrote.
    static boolean isOrdered(String typeUrl) {
        return NEEDED_FIRST.contains(typeUrl);
    }

    private static int rank(String typeUrl) {
        var at = NEEDED_FIRST.indexOf(typeUrl);
        return at < 0 ? NEEDED_FIRST.size() : at;
    }
}
