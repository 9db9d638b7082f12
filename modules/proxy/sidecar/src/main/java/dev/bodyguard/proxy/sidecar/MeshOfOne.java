package dev.bodyguard.proxy.sidecar;

import com.google.protobuf.Any;
import com.google.protobuf.BoolValue;
import com.google.protobuf.Duration;
import com.google.protobuf.Message;
import com.google.protobuf.UInt32Value;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.proxy.engine.Loads;
import dev.bodyguard.proxy.engine.Plan;
import dev.bodyguard.proxy.engine.Resources;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.config.core.v3.TransportSocket;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.Endpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.envoyproxy.envoy.config.listener.v3.Filter;
import io.envoyproxy.envoy.config.listener.v3.FilterChain;
import io.envoyproxy.envoy.config.listener.v3.FilterChainMatch;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.rbac.v3.Permission;
import io.envoyproxy.envoy.config.rbac.v3.Policy;
import io.envoyproxy.envoy.config.rbac.v3.Principal;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.http.rbac.v3.RBAC;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CommonTlsContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CommonTlsContext.CombinedCertificateValidationContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import java.util.List;
import java.util.Map;

/// The plan of a mesh in which one workload calls itself, by mutual TLS, a route with retries and a policy that allows
/// it: told in the resources that config would send, so that what reads those is used too.
final class MeshOfOne {
    /// What it calls itself.
    static final Authority HOST = new Authority("warm-up.invalid", 80);

    private static final String EXTENSION = "type.googleapis.com/envoy.extensions.";
    private static final String OUTBOUND = "outbound|80||warm-up.invalid";

    private final SpiffeId id;
    private final int inboundPort;
    private final int appPort;

    /// @param inboundPort where its own inbound listener is, on 127.0.0.1
    /// @param appPort where what answers is, on 127.0.0.1
    MeshOfOne(SpiffeId id, int inboundPort, int appPort) {
        this.id = id;
        this.inboundPort = inboundPort;
        this.appPort = appPort;
    }

    Plan plan() {
        var resources = new Resources(new Loads());
        tell(resources, Resources.LISTENER, Planner.INBOUND, inbound());
        tell(resources, Resources.VIRTUAL_HOST, HOST.key(), host());
        tell(resources, Resources.CLUSTER, OUTBOUND, itself());
        tell(resources, Resources.CLUSTER, inboundName(), app());
        return resources.plan();
    }

    private static void tell(Resources resources, String type, String name, Message resource) {
        var rejected = resources.apply(type, Map.of(name, any(type, resource)), List.of());
        if (!rejected.isEmpty()) {
            throw new IllegalStateException("a plan of our own is refused: " + rejected);
        }
    }

    private Listener inbound() {
        var tls = DownstreamTlsContext.newBuilder()
                .setRequireClientCertificate(BoolValue.of(true))
                .setCommonTlsContext(context(StringMatcher.newBuilder()
                        .setPrefix("spiffe://" + id.trustDomain() + "/")
                        .build()))
                .build();
        var routes = VirtualHost.newBuilder()
                .setName("inbound|http|" + appPort)
                .addDomains("*")
                .addRoutes(to(RouteAction.newBuilder().setCluster(inboundName())));
        var http = HttpConnectionManager.newBuilder()
                .setStatPrefix(Planner.INBOUND)
                .addHttpFilters(HttpFilter.newBuilder()
                        .setName("envoy.filters.http.rbac")
                        .setTypedConfig(any(EXTENSION + "filters.http.rbac.v3.RBAC", allowed())))
                .setRouteConfig(
                        RouteConfiguration.newBuilder().setName("routes").addVirtualHosts(routes))
                .build();
        return Listener.newBuilder()
                .setName(Planner.INBOUND)
                .addFilterChains(FilterChain.newBuilder()
                        .setFilterChainMatch(FilterChainMatch.newBuilder().setDestinationPort(UInt32Value.of(appPort)))
                        .setTransportSocket(socket("DownstreamTlsContext", tls))
                        .addFilters(Filter.newBuilder()
                                .setName("http")
                                .setTypedConfig(any(
                                        EXTENSION + "filters.network.http_connection_manager.v3.HttpConnectionManager",
                                        http))))
                .build();
    }

    private RBAC allowed() {
        return RBAC.newBuilder()
                .setRules(io.envoyproxy
                        .envoy
                        .config
                        .rbac
                        .v3
                        .RBAC
                        .newBuilder()
                        .putPolicies(
                                "itself",
                                Policy.newBuilder()
                                        .addPermissions(Permission.newBuilder().setAny(true))
                                        .addPrincipals(Principal.newBuilder()
                                                .setAuthenticated(Principal.Authenticated.newBuilder()
                                                        .setPrincipalName(itsName())))
                                        .build()))
                .build();
    }

    private static VirtualHost host() {
        return VirtualHost.newBuilder()
                .setName(HOST.key())
                .addDomains(HOST.host())
                .addRoutes(to(RouteAction.newBuilder()
                        .setCluster(OUTBOUND)
                        .setTimeout(seconds(10))
                        .setRetryPolicy(RetryPolicy.newBuilder()
                                .setRetryOn("5xx,connect-failure,reset")
                                .setNumRetries(UInt32Value.of(2)))))
                .build();
    }

    private static Route to(RouteAction.Builder action) {
        return Route.newBuilder()
                .setMatch(RouteMatch.newBuilder().setPrefix("/"))
                .setRoute(action)
                .build();
    }

    private Cluster itself() {
        var tls = UpstreamTlsContext.newBuilder()
                .setSni("outbound_.80_._." + HOST.host())
                .setCommonTlsContext(context(itsName()))
                .build();
        return cluster(OUTBOUND, inboundPort)
                .setLbPolicy(Cluster.LbPolicy.LEAST_REQUEST)
                .setTransportSocket(socket("UpstreamTlsContext", tls))
                .build();
    }

    private Cluster app() {
        return cluster(inboundName(), appPort).build();
    }

    private static Cluster.Builder cluster(String name, int port) {
        return Cluster.newBuilder()
                .setName(name)
                .setType(Cluster.DiscoveryType.STATIC)
                .setConnectTimeout(seconds(5))
                .setLoadAssignment(ClusterLoadAssignment.newBuilder()
                        .setClusterName(name)
                        .addEndpoints(LocalityLbEndpoints.newBuilder()
                                .addLbEndpoints(LbEndpoint.newBuilder()
                                        .setEndpoint(Endpoint.newBuilder()
                                                .setAddress(Address.newBuilder()
                                                        .setSocketAddress(SocketAddress.newBuilder()
                                                                .setAddress("127.0.0.1")
                                                                .setPortValue(port)))))));
    }

    private static CommonTlsContext context(StringMatcher peer) {
        return CommonTlsContext.newBuilder()
                .addTlsCertificateSdsSecretConfigs(SdsSecretConfig.newBuilder().setName("default"))
                .addAlpnProtocols("h2")
                .setCombinedValidationContext(CombinedCertificateValidationContext.newBuilder()
                        .setDefaultValidationContext(CertificateValidationContext.newBuilder()
                                .addMatchTypedSubjectAltNames(SubjectAltNameMatcher.newBuilder()
                                        .setSanType(SubjectAltNameMatcher.SanType.URI)
                                        .setMatcher(peer))))
                .build();
    }

    private StringMatcher itsName() {
        return StringMatcher.newBuilder().setExact(id.toString()).build();
    }

    private String inboundName() {
        return "inbound|" + appPort + "||";
    }

    private static TransportSocket socket(String type, Message context) {
        return TransportSocket.newBuilder()
                .setName("envoy.transport_sockets.tls")
                .setTypedConfig(any(EXTENSION + "transport_sockets.tls.v3." + type, context))
                .build();
    }

    /// `Any.pack` would ask the message for its type, and so load the descriptors of all that it may contain: a tenth
    /// of
    /// a second for what nothing else in a sidecar needs.
    private static Any any(String type, Message message) {
        return Any.newBuilder()
                .setTypeUrl(type)
                .setValue(message.toByteString())
                .build();
    }

    private static Duration seconds(long seconds) {
        return Duration.newBuilder().setSeconds(seconds).build();
    }
}
