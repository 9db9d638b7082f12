package dev.bodyguard.proxy.sidecar;

import com.google.protobuf.Any;
import com.google.protobuf.BoolValue;
import com.google.protobuf.Duration;
import com.google.protobuf.Message;
import com.google.protobuf.Struct;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.Value;
import io.envoyproxy.envoy.config.cluster.v3.CircuitBreakers;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.AggregatedConfigSource;
import io.envoyproxy.envoy.config.core.v3.ConfigSource;
import io.envoyproxy.envoy.config.core.v3.DataSource;
import io.envoyproxy.envoy.config.core.v3.Metadata;
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
import io.envoyproxy.envoy.config.route.v3.DirectResponseAction;
import io.envoyproxy.envoy.config.route.v3.HeaderMatcher;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CommonTlsContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext;
import io.envoyproxy.envoy.type.matcher.v3.RegexMatcher;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import io.envoyproxy.envoy.type.v3.Percent;
import java.util.List;

/// xDS resources as config writes them, by hand.
final class Given {
    static final String CLUSTER = "outbound|80||payment-service.default.svc.cluster.local";
    static final String ORIGIN = "VirtualService default/payment-vs spec.http[0] (payments.yaml:12:5)";

    private Given() {}

    static Listener outboundAllowingAny() {
        return outbound(VirtualHost.newBuilder()
                .setName("allow_any")
                .addDomains("*")
                .addRoutes(Route.newBuilder()
                        .setMatch(RouteMatch.newBuilder().setPrefix("/"))
                        .setRoute(RouteAction.newBuilder().setCluster("PassthroughCluster"))));
    }

    static Listener outboundBlockingUnknown() {
        return outbound(VirtualHost.newBuilder()
                .setName("block_all")
                .addDomains("*")
                .addRoutes(Route.newBuilder()
                        .setMatch(RouteMatch.newBuilder().setPrefix("/"))
                        .setDirectResponse(DirectResponseAction.newBuilder()
                                .setStatus(502)
                                .setBody(DataSource.newBuilder()
                                        .setInlineString("only hosts of the mesh may be called")))));
    }

    private static Listener outbound(VirtualHost.Builder fallback) {
        return Listener.newBuilder()
                .setName("outbound")
                .addFilterChains(FilterChain.newBuilder().addFilters(manager(fallback)))
                .build();
    }

    static Listener inbound(int appPort) {
        var tls = DownstreamTlsContext.newBuilder()
                .setRequireClientCertificate(BoolValue.of(true))
                .setCommonTlsContext(CommonTlsContext.newBuilder()
                        .addAlpnProtocols("h2")
                        .setCombinedValidationContext(CommonTlsContext.CombinedCertificateValidationContext.newBuilder()
                                .setDefaultValidationContext(CertificateValidationContext.newBuilder()
                                        .addMatchTypedSubjectAltNames(SubjectAltNameMatcher.newBuilder()
                                                .setSanType(SubjectAltNameMatcher.SanType.URI)
                                                .setMatcher(StringMatcher.newBuilder()
                                                        .setPrefix("spiffe://cluster.local/"))))));
        return Listener.newBuilder()
                .setName("inbound")
                .addFilterChains(FilterChain.newBuilder()
                        .setFilterChainMatch(FilterChainMatch.newBuilder()
                                .setDestinationPort(UInt32Value.of(appPort))
                                .addApplicationProtocols("istio"))
                        .setTransportSocket(socket(tls.build()))
                        .addFilters(Filter.newBuilder()
                                .setName("tcp")
                                .setTypedConfig(Any.pack(TcpProxy.newBuilder()
                                        .setStatPrefix("tcp")
                                        .setCluster("inbound|" + appPort + "||")
                                        .build()))))
                .addFilterChains(FilterChain.newBuilder()
                        .setFilterChainMatch(FilterChainMatch.newBuilder().setDestinationPort(UInt32Value.of(appPort)))
                        .setTransportSocket(socket(tls.build()))
                        .addFilters(manager(VirtualHost.newBuilder()
                                .setName("inbound|http|" + appPort)
                                .addDomains("*")
                                .addRoutes(Route.newBuilder()
                                        .setMatch(RouteMatch.newBuilder().setPrefix("/"))
                                        .setRoute(to("inbound|" + appPort + "||"))))))
                .build();
    }

    static Cluster inboundCluster(int appPort) {
        String name = "inbound|" + appPort + "||";
        return Cluster.newBuilder()
                .setName(name)
                .setType(Cluster.DiscoveryType.STATIC)
                .setConnectTimeout(seconds(1))
                .setLoadAssignment(ClusterLoadAssignment.newBuilder()
                        .setClusterName(name)
                        .addEndpoints(LocalityLbEndpoints.newBuilder()
                                .addLbEndpoints(LbEndpoint.newBuilder().setEndpoint(endpoint(appPort)))))
                .build();
    }

    static Cluster passThrough() {
        return Cluster.newBuilder()
                .setName("PassthroughCluster")
                .setType(Cluster.DiscoveryType.ORIGINAL_DST)
                .setLbPolicy(Cluster.LbPolicy.CLUSTER_PROVIDED)
                .build();
    }

    private static Filter manager(VirtualHost.Builder host) {
        return Filter.newBuilder()
                .setName("http")
                .setTypedConfig(Any.pack(HttpConnectionManager.newBuilder()
                        .setStatPrefix("http")
                        .setRouteConfig(RouteConfiguration.newBuilder()
                                .setName("routes")
                                .addVirtualHosts(host))
                        .build()))
                .build();
    }

    static VirtualHost host(String key, Route... routes) {
        return VirtualHost.newBuilder()
                .setName(key)
                .addDomains(key.substring(key.indexOf('/') + 1))
                .setMetadata(origin())
                .addAllRoutes(List.of(routes))
                .build();
    }

    /// A host that is known by what is said beside its routes.
    static VirtualHost knownBy(String key, String... factsAndValues) {
        var facts = fields(factsAndValues).toBuilder()
                .putAllFields(fields("origin", ORIGIN).getFieldsMap());
        return VirtualHost.newBuilder()
                .setName(key)
                .addDomains(key.substring(key.indexOf('/') + 1))
                .setMetadata(Metadata.newBuilder().putFilterMetadata("dev.bodyguard", facts.build()))
                .build();
    }

    /// An answer made by the sidecar itself, and what is said beside it.
    static Route answering(int status, String body, String fact, String value) {
        return Route.newBuilder()
                .setMatch(RouteMatch.newBuilder().setPrefix("/"))
                .setMetadata(
                        Metadata.newBuilder().putFilterMetadata("dev.bodyguard", fields("origin", ORIGIN, fact, value)))
                .setDirectResponse(DirectResponseAction.newBuilder()
                        .setStatus(status)
                        .setBody(DataSource.newBuilder().setInlineString(body)))
                .build();
    }

    static Route route(RouteAction.Builder action) {
        return Route.newBuilder()
                .setMatch(RouteMatch.newBuilder().setPrefix("/"))
                .setMetadata(origin())
                .setRoute(action)
                .build();
    }

    /// `retries: {attempts: 3, perTryTimeout: …}` without `retryOn`, as it is compiled.
    static Route[] retrying(int attempts, long perTryMillis) {
        return new Route[] {
            Route.newBuilder()
                    .setMatch(RouteMatch.newBuilder()
                            .setPrefix("/")
                            .addHeaders(HeaderMatcher.newBuilder()
                                    .setName(":method")
                                    .setStringMatch(StringMatcher.newBuilder()
                                            .setSafeRegex(RegexMatcher.newBuilder()
                                                    .setRegex("GET|HEAD|OPTIONS|TRACE|PUT|DELETE")))))
                    .setMetadata(origin())
                    .setRoute(to(CLUSTER).setRetryPolicy(policy("5xx,connect-failure,reset", attempts, perTryMillis)))
                    .build(),
            Route.newBuilder()
                    .setMatch(RouteMatch.newBuilder()
                            .setPrefix("/")
                            .addHeaders(HeaderMatcher.newBuilder()
                                    .setName("idempotency-key")
                                    .setPresentMatch(true)))
                    .setMetadata(origin())
                    .setRoute(to(CLUSTER).setRetryPolicy(policy("5xx,connect-failure,reset", attempts, perTryMillis)))
                    .build(),
            Route.newBuilder()
                    .setMatch(RouteMatch.newBuilder().setPrefix("/"))
                    .setMetadata(origin())
                    .setRoute(to(CLUSTER)
                            .setRetryPolicy(policy("connect-failure,refused-stream", attempts, perTryMillis)))
                    .build()
        };
    }

    private static RetryPolicy policy(String on, int attempts, long perTryMillis) {
        var policy = RetryPolicy.newBuilder()
                .setRetryOn(on)
                .setNumRetries(UInt32Value.of(attempts))
                .setRetryBackOff(RetryPolicy.RetryBackOff.newBuilder()
                        .setBaseInterval(millis(25))
                        .setMaxInterval(millis(250)))
                .addRetryHostPredicate(RetryPolicy.RetryHostPredicate.newBuilder()
                        .setName("envoy.retry_host_predicates.previous_hosts"));
        return perTryMillis > 0 ? policy.setPerTryTimeout(millis(perTryMillis)).build() : policy.build();
    }

    static RouteAction.Builder to(String cluster) {
        return RouteAction.newBuilder().setCluster(cluster).setTimeout(seconds(0));
    }

    static Cluster cluster(String... acceptedIds) {
        var validation = CertificateValidationContext.newBuilder();
        for (String id : acceptedIds) {
            validation.addMatchTypedSubjectAltNames(SubjectAltNameMatcher.newBuilder()
                    .setSanType(SubjectAltNameMatcher.SanType.URI)
                    .setMatcher(StringMatcher.newBuilder().setExact(id)));
        }
        var tls = UpstreamTlsContext.newBuilder()
                .setSni("outbound_.80_._.payment-service.default.svc.cluster.local")
                .setCommonTlsContext(CommonTlsContext.newBuilder()
                        .addTlsCertificateSdsSecretConfigs(
                                SdsSecretConfig.newBuilder().setName("default"))
                        .addAlpnProtocols("h2")
                        .setCombinedValidationContext(CommonTlsContext.CombinedCertificateValidationContext.newBuilder()
                                .setDefaultValidationContext(validation)));
        return Cluster.newBuilder()
                .setName(CLUSTER)
                .setType(Cluster.DiscoveryType.EDS)
                .setEdsClusterConfig(Cluster.EdsClusterConfig.newBuilder()
                        .setEdsConfig(ConfigSource.newBuilder().setAds(AggregatedConfigSource.getDefaultInstance())))
                .setConnectTimeout(seconds(5))
                .setLbPolicy(Cluster.LbPolicy.LEAST_REQUEST)
                .setCircuitBreakers(CircuitBreakers.newBuilder()
                        .addThresholds(CircuitBreakers.Thresholds.newBuilder()
                                .setRetryBudget(CircuitBreakers.Thresholds.RetryBudget.newBuilder()
                                        .setBudgetPercent(Percent.newBuilder().setValue(100))
                                        .setMinRetryConcurrency(UInt32Value.of(3)))))
                .addTransportSocketMatches(Cluster.TransportSocketMatch.newBuilder()
                        .setName("mtls")
                        .setMatch(fields("tlsMode", "mtls"))
                        .setTransportSocket(socket(tls.build())))
                .addTransportSocketMatches(
                        Cluster.TransportSocketMatch.newBuilder()
                                .setName("plaintext")
                                .setMatch(Struct.getDefaultInstance())
                                .setTransportSocket(
                                        TransportSocket.newBuilder()
                                                .setName("envoy.transport_sockets.raw_buffer")
                                                .setTypedConfig(
                                                        Any.newBuilder()
                                                                .setTypeUrl(
                                                                        "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"))))
                .setMetadata(Metadata.newBuilder()
                        .putFilterMetadata(
                                "dev.bodyguard",
                                fields(
                                        "service",
                                        "payment-service.default.svc.cluster.local",
                                        "serviceName",
                                        "payment-service",
                                        "serviceNamespace",
                                        "default")))
                .build();
    }

    static ClusterLoadAssignment meshed(int... inboundPorts) {
        var locality = LocalityLbEndpoints.newBuilder();
        for (int port : inboundPorts) {
            locality.addLbEndpoints(LbEndpoint.newBuilder()
                    .setEndpoint(endpoint(port))
                    .setMetadata(Metadata.newBuilder()
                            .putFilterMetadata("envoy.transport_socket_match", fields("tlsMode", "mtls"))
                            .putFilterMetadata(
                                    "dev.bodyguard",
                                    fields(
                                            "workload",
                                            "payment-service-v2-" + port,
                                            "namespace",
                                            "default",
                                            "app",
                                            "payment-service",
                                            "version",
                                            "v2",
                                            "serviceAccount",
                                            "payment-service",
                                            "principal",
                                            "cluster.local/ns/default/sa/payment-service"))));
        }
        return ClusterLoadAssignment.newBuilder()
                .setClusterName(CLUSTER)
                .addEndpoints(locality)
                .build();
    }

    private static Endpoint endpoint(int port) {
        return Endpoint.newBuilder()
                .setAddress(Address.newBuilder()
                        .setSocketAddress(SocketAddress.newBuilder()
                                .setAddress("127.0.0.1")
                                .setPortValue(port)))
                .build();
    }

    private static Metadata origin() {
        return Metadata.newBuilder()
                .putFilterMetadata("dev.bodyguard", fields("origin", ORIGIN))
                .build();
    }

    private static TransportSocket socket(Message context) {
        return TransportSocket.newBuilder()
                .setName("envoy.transport_sockets.tls")
                .setTypedConfig(Any.pack(context))
                .build();
    }

    private static Struct fields(String... namesAndValues) {
        var fields = Struct.newBuilder();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            fields.putFields(
                    namesAndValues[i],
                    Value.newBuilder().setStringValue(namesAndValues[i + 1]).build());
        }
        return fields.build();
    }

    static Duration seconds(long seconds) {
        return Duration.newBuilder().setSeconds(seconds).build();
    }

    static Duration millis(long millis) {
        return Duration.newBuilder()
                .setSeconds(millis / 1_000)
                .setNanos((int) (millis % 1_000) * 1_000_000)
                .build();
    }
}
