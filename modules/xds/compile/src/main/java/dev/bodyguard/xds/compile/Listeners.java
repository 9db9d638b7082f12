package dev.bodyguard.xds.compile;

import com.google.protobuf.Any;
import com.google.protobuf.BoolValue;
import com.google.protobuf.Duration;
import com.google.protobuf.Message;
import com.google.protobuf.UInt32Value;
import dev.bodyguard.model.AuthorizationPolicy.Action;
import dev.bodyguard.model.Ingress.Certificate;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.OutboundPolicy;
import dev.bodyguard.model.PeerAuthentication.Mode;
import io.envoyproxy.envoy.config.core.v3.DataSource;
import io.envoyproxy.envoy.config.core.v3.TrafficDirection;
import io.envoyproxy.envoy.config.core.v3.TransportSocket;
import io.envoyproxy.envoy.config.listener.v3.ApiListener;
import io.envoyproxy.envoy.config.listener.v3.Filter;
import io.envoyproxy.envoy.config.listener.v3.FilterChain;
import io.envoyproxy.envoy.config.listener.v3.FilterChainMatch;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.listener.v3.ListenerFilter;
import io.envoyproxy.envoy.config.route.v3.DirectResponseAction;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.Vhds;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.http.fault.v3.HTTPFault;
import io.envoyproxy.envoy.extensions.filters.http.rbac.v3.RBAC;
import io.envoyproxy.envoy.extensions.filters.http.router.v3.Router;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.PathWithEscapedSlashesAction;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.Rds;
import io.envoyproxy.envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CommonTlsContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/// The two listeners of a sidecar. The ports in them are the usual ones; a sidecar without capture picks its own.
final class Listeners {
    private static final int OUTBOUND_PORT = 15001;
    private static final int INBOUND_PORT = 15006;
    private static final int HTTP_PORT = 80;
    /// What Istio's proxies say in ALPN where bytes that are no HTTP follow.
    private static final String BYTES = "istio";
    /// What sidecars say in ALPN beside `h2`, by which TLS that means a proxy is told from any other.
    private static final String PEERS = "istio-h2";
    /// What an inspector calls requests that come without TLS.
    private static final List<String> HTTP = List.of("http/1.0", "http/1.1", "h2c");
    private static final String UNDECLARED = "the mesh knows no such host and outboundTrafficPolicy is"
            + " REGISTRY_ONLY; declare it in a ServiceEntry to reach it";
    private static final String UNREACHABLE = "the mesh knows no such host, and an Envoy that is asked by its address"
            + " cannot tell where else this was going; declare it in a ServiceEntry to reach it";

    private final Mesh mesh;
    private final Settings settings;
    private final Authorizations authorizations;
    private final RateLimits rateLimits;

    Listeners(Mesh mesh, Settings settings) {
        this.mesh = mesh;
        this.settings = settings;
        this.authorizations = new Authorizations(settings);
        this.rateLimits = new RateLimits(settings);
    }

    Listener outbound(Proxy proxy) {
        var origin = policyOrigin(proxy);
        var fallback = switch (mode(proxy)) {
            case ALLOW_ANY -> passThrough(origin);
            case REGISTRY_ONLY -> refuse(origin, UNDECLARED);
        };
        var routes = RouteConfiguration.newBuilder()
                .setName("outbound")
                .addVirtualHosts(fallback)
                .setVhds(Vhds.newBuilder().setConfigSource(Wire.ads()))
                .setValidateClusters(BoolValue.of(false))
                .build();
        return Listener.newBuilder()
                .setName("outbound")
                .setAddress(Wire.address("127.0.0.1", OUTBOUND_PORT))
                .setTrafficDirection(TrafficDirection.OUTBOUND)
                .addFilterChains(FilterChain.newBuilder()
                        .addFilters(http(manager("outbound", routes, List.of()).build())))
                .build();
    }

    private OutboundPolicy.Mode mode(Proxy proxy) {
        return mesh.outboundPolicy(proxy.namespace(), proxy.labels())
                .map(OutboundPolicy::mode)
                .orElse(settings.outbound());
    }

    private Origin policyOrigin(Proxy proxy) {
        return mesh.outboundPolicy(proxy.namespace(), proxy.labels())
                .map(OutboundPolicy::origin)
                .orElseGet(() -> new Origin("Mesh", Mesh.ROOT_NAMESPACE, "settings", "outboundTrafficPolicy", null));
    }

    /// What an Envoy does with hosts that the mesh does not know. Its app asked it by address, so whatever the policy
    /// says, nothing tells where else the request was going.
    VirtualHost elsewhere(Proxy proxy) {
        return refuse(
                policyOrigin(proxy),
                switch (mode(proxy)) {
                    case ALLOW_ANY -> UNREACHABLE;
                    case REGISTRY_ONLY -> UNDECLARED;
                });
    }

    /// An Envoy's one listener; its virtual hosts come by RDS, all of them.
    static Listener outbound(Kind.Envoy envoy) {
        return Listener.newBuilder()
                .setName("outbound")
                .setAddress(Wire.address(envoy.address(), envoy.port()))
                .setTrafficDirection(TrafficDirection.OUTBOUND)
                .addFilterChains(FilterChain.newBuilder()
                        .addFilters(Filter.newBuilder()
                                .setName("envoy.filters.network.http_connection_manager")
                                .setTypedConfig(Wire.any(manager("outbound", List.of())
                                        .setRds(Rds.newBuilder()
                                                .setRouteConfigName("outbound")
                                                .setConfigSource(Wire.ads()))
                                        .build()))))
                .build();
    }

    /// What a gRPC client gets for a target of its own: routes, and no address.
    static Listener target(String name, VirtualHost host) {
        var routes = RouteConfiguration.newBuilder().setName(name).addVirtualHosts(host);
        return Listener.newBuilder()
                .setName(name)
                .setApiListener(ApiListener.newBuilder()
                        .setApiListener(Wire.any(
                                manager(name, routes.build(), List.of()).build())))
                .build();
    }

    private static VirtualHost passThrough(Origin origin) {
        return everything("allow_any", origin)
                .addRoutes(toCluster(Resources.PASSTHROUGH, origin))
                .build();
    }

    private static VirtualHost refuse(Origin origin, String why) {
        return everything("block_all", origin)
                .addRoutes(Route.newBuilder()
                        .setName("block_all")
                        .setMatch(RouteMatch.newBuilder().setPrefix("/"))
                        .setMetadata(Wire.metadata(origin))
                        .setDirectResponse(DirectResponseAction.newBuilder()
                                .setStatus(502)
                                .setBody(DataSource.newBuilder().setInlineString(why))))
                .build();
    }

    private static VirtualHost.Builder everything(String name, Origin origin) {
        return VirtualHost.newBuilder().setName(name).addDomains("*").setMetadata(Wire.metadata(origin));
    }

    private static Route toCluster(String cluster, Origin origin) {
        return Route.newBuilder()
                .setName(cluster)
                .setMatch(RouteMatch.newBuilder().setPrefix("/"))
                .setMetadata(Wire.metadata(origin))
                .setRoute(RouteAction.newBuilder().setCluster(cluster).setTimeout(Duration.getDefaultInstance()))
                .build();
    }

    Listener inbound(Proxy proxy) {
        var listener = Listener.newBuilder()
                .setName("inbound")
                .setAddress(Wire.address("127.0.0.1", INBOUND_PORT))
                .setTrafficDirection(TrafficDirection.INBOUND);
        listener.addListenerFilters(inspector("tls_inspector", "TlsInspector"))
                .addListenerFilters(inspector("http_inspector", "HttpInspector"));
        doors(proxy).forEach(door -> listener.addAllFilterChains(chains(proxy, door)));
        return listener.build();
    }

    private Collection<Door> doors(Proxy proxy) {
        var doors = new TreeMap<Integer, Door>();
        proxy.appPorts().forEach(port -> doors.put(port, Door.of(port)));
        if (!proxy.captured()) {
            return doors.values();
        }
        mesh.portsSpokenOf(proxy.namespace(), proxy.service(), proxy.labels())
                .forEach(port -> doors.put(port, Door.of(port)));
        mesh.ingress(proxy.namespace(), proxy.service(), proxy.labels())
                .forEach((port, ingress) -> doors.put(port, Door.to(port, ingress.appPort(), ingress.certificate())));
        // The world calls a service by 80, also where it calls a workload of it.
        if (!doors.containsKey(HTTP_PORT)) {
            mesh.portBehind(proxy.namespace(), proxy.service(), proxy.labels(), HTTP_PORT)
                    .or(() -> proxy.appPorts().stream().findFirst())
                    .ifPresent(port -> doors.put(HTTP_PORT, Door.to(HTTP_PORT, port, null)));
        }
        var all = new ArrayList<>(doors.values());
        all.add(Door.OTHERS);
        return all;
    }

    /// Where connections come in.
    ///
    /// @param port that was called; 0: any that has no door of its own
    /// @param appPort where they lead
    /// @param certificate by which TLS ends that means the application; null where it does not
    private record Door(int port, int appPort, @Nullable Certificate certificate, String name, String cluster) {
        static final Door OTHERS = new Door(0, 0, null, Resources.INBOUND_PASSTHROUGH, Resources.INBOUND_PASSTHROUGH);

        static Door of(int port) {
            return to(port, port, null);
        }

        static Door to(int port, int appPort, @Nullable Certificate certificate) {
            return new Door(
                    port,
                    appPort,
                    certificate,
                    new Names.Inbound(port).toString(),
                    new Names.Inbound(appPort).toString());
        }

        FilterChainMatch match() {
            var match = FilterChainMatch.newBuilder();
            return port == 0
                    ? match.build()
                    : match.setDestinationPort(UInt32Value.of(port)).build();
        }
    }

    private static ListenerFilter inspector(String name, String type) {
        return ListenerFilter.newBuilder()
                .setName("envoy.filters.listener." + name)
                .setTypedConfig(Any.newBuilder()
                        .setTypeUrl("type.googleapis.com/envoy.extensions.filters.listener." + name + ".v3." + type))
                .build();
    }

    private List<FilterChain> chains(Proxy proxy, Door door) {
        var policies = policies(proxy, door);
        var requests = inside(door, chain(proxy, door, policies));
        // Policies judge requests, so where there are any, bytes that are none have no way in.
        var bytes = policies.isEmpty() ? List.of(bytes(door)) : List.<FilterChain>of();
        var chains = new ArrayList<FilterChain>();
        switch (peers(proxy, door)) {
            case STRICT -> {
                chains.addAll(bytes);
                chains.add(requests);
            }
            case PERMISSIVE -> {
                chains.addAll(bytes);
                chains.add(ofPeers(proxy, door, requests));
                chains.addAll(unproven(door, requests, bytes));
            }
            case DISABLE -> chains.addAll(unproven(door, requests, bytes));
        }
        return chains;
    }

    /// From whoever has no identity to prove.
    private static List<FilterChain> unproven(Door door, FilterChain requests, List<FilterChain> bytes) {
        var certificate = door.certificate();
        if (certificate != null) {
            return List.of(ended(requests, certificate));
        }
        var chains = new ArrayList<FilterChain>();
        bytes.forEach(chain -> chains.add(unproven(chain).build()));
        chains.add(unproven(requests, bytes));
        return chains;
    }

    /// Requests in TLS that means the application, and ends here.
    private static FilterChain ended(FilterChain requests, Certificate certificate) {
        var common = CommonTlsContext.newBuilder()
                .addAlpnProtocols("h2")
                .addAlpnProtocols("http/1.1")
                .addTlsCertificateSdsSecretConfigs(Wire.secret(new Kind.Sidecar(), certificate.name()));
        var clients = certificate.clients();
        if (clients != null) {
            common.setValidationContextSdsSecretConfig(Wire.secret(new Kind.Sidecar(), clients));
        }
        return requests.toBuilder()
                .setName(requests.getName() + "|https")
                .setFilterChainMatch(requests.getFilterChainMatch().toBuilder().setTransportProtocol("tls"))
                .setTransportSocket(tls(DownstreamTlsContext.newBuilder()
                        .setRequireClientCertificate(BoolValue.of(clients != null))
                        .setCommonTlsContext(common)
                        .build()))
                .build();
    }

    /// Of the port that is called and of the one that is meant, what asks more.
    private Mode peers(Proxy proxy, Door door) {
        var called = peers(proxy, door.port());
        var meant = peers(proxy, door.appPort());
        return called.compareTo(meant) < 0 ? called : meant;
    }

    private Mode peers(Proxy proxy, int port) {
        return mesh.peerMode(proxy.namespace(), proxy.service(), proxy.labels(), port)
                .orElse(settings.callers());
    }

    /// The chain for those who mean this proxy by their TLS, and not the application: where that speaks none, also who
    /// offers but HTTP/2, as gRPC's clients do.
    private FilterChain ofPeers(Proxy proxy, Door door, FilterChain requests) {
        var chain = requests.toBuilder();
        chain.getFilterChainMatchBuilder().setTransportProtocol("tls").addApplicationProtocols(PEERS);
        if (door.certificate() == null
                && mesh.isPlainHttp(proxy.namespace(), proxy.service(), proxy.labels(), door.appPort())) {
            chain.getFilterChainMatchBuilder().addApplicationProtocols("h2");
        }
        return chain.build();
    }

    /// The same from whoever has no identity to prove. For bytes: whatever nothing else matches, also TLS, which then
    /// is the application's own.
    private static FilterChain.Builder unproven(FilterChain chain) {
        return chain.toBuilder()
                .setName(chain.getName() + "|plaintext")
                .setFilterChainMatch(chain.getFilterChainMatch().toBuilder().clearApplicationProtocols())
                .clearTransportSocket();
    }

    private static FilterChain unproven(FilterChain requests, List<FilterChain> bytes) {
        var chain = unproven(requests);
        chain.getFilterChainMatchBuilder().setTransportProtocol("raw_buffer");
        if (!bytes.isEmpty()) {
            chain.getFilterChainMatchBuilder().addAllApplicationProtocols(HTTP);
        }
        return chain.build();
    }

    /// For peers that announce bytes that are no HTTP.
    private FilterChain bytes(Door door) {
        var cluster = door.cluster();
        return FilterChain.newBuilder()
                .setName(door.name() + "|tcp")
                .setFilterChainMatch(door.match().toBuilder().addApplicationProtocols(BYTES))
                .setTransportSocket(peersOfTheMesh(BYTES))
                .addFilters(Filter.newBuilder()
                        .setName("envoy.filters.network.tcp_proxy")
                        .setTypedConfig(Wire.any(TcpProxy.newBuilder()
                                .setStatPrefix(cluster)
                                .setCluster(cluster)
                                .build())))
                .build();
    }

    private FilterChain chain(Proxy proxy, Door door, List<HttpFilter> policies) {
        int port = door.port();
        var origin = new Origin(
                "Workload", proxy.namespace(), proxy.service(), port == 0 ? "other ports" : "port " + port, null);
        var cluster = door.cluster();
        var routes = RouteConfiguration.newBuilder()
                .setName(cluster)
                .addVirtualHosts(everything("inbound|http|" + port, origin).addRoutes(toCluster(cluster, origin)))
                .setValidateClusters(BoolValue.of(false))
                .build();
        return FilterChain.newBuilder()
                .setName(door.name())
                .setFilterChainMatch(door.match())
                .setTransportSocket(peersOfTheMesh("h2"))
                .addFilters(http(decidingByPath(manager(cluster, routes, policies), !policies.isEmpty())))
                .build();
    }

    /// By what TLS ends that a peer's sidecar brings as bytes inside of mutual TLS. Only our own does that.
    private static FilterChain inside(Door door, FilterChain requests) {
        var certificate = door.certificate();
        if (certificate == null) {
            return requests;
        }
        var clients = certificate.clients();
        return requests.toBuilder()
                .setMetadata(Wire.metadata(
                        Map.of("certificate", certificate.name(), "clients", clients == null ? "" : clients)))
                .build();
    }

    /// What is asked of every request to a workload: denials, then what is allowed, then how much.
    private List<HttpFilter> policies(Proxy proxy, Door door) {
        var filters = new ArrayList<HttpFilter>();
        var authorization = both(
                door, port -> mesh.authorizationPolicies(proxy.namespace(), proxy.service(), proxy.labels(), port));
        for (var action : List.of(Action.DENY, Action.ALLOW)) {
            authorizations
                    .rules(authorization, action, door.port(), door.appPort())
                    .ifPresent(rules -> filters.add(filter(
                            "envoy.filters.http.rbac",
                            RBAC.newBuilder().setRules(rules).build())));
        }
        for (var limit :
                both(door, port -> mesh.rateLimits(proxy.namespace(), proxy.service(), proxy.labels(), port))) {
            limit.rules()
                    .forEach(
                            rule -> filters.add(filter("envoy.filters.http.local_ratelimit", rateLimits.filter(rule))));
        }
        return filters;
    }

    /// What is about the port that is called, or about the one that is meant.
    private static <P> List<P> both(Door door, IntFunction<List<P>> about) {
        var all = new LinkedHashSet<>(about.apply(door.port()));
        all.addAll(about.apply(door.appPort()));
        return List.copyOf(all);
    }

    /// Policies are asked about one spelling of a path, and the application gets the same.
    private static HttpConnectionManager decidingByPath(HttpConnectionManager.Builder manager, boolean decides) {
        if (decides) {
            manager.setNormalizePath(BoolValue.of(true))
                    .setMergeSlashes(true)
                    .setPathWithEscapedSlashesAction(PathWithEscapedSlashesAction.UNESCAPE_AND_FORWARD);
        }
        return manager.build();
    }

    private TransportSocket peersOfTheMesh(String alpn) {
        var anyOfOurs = StringMatcher.newBuilder()
                .setPrefix("spiffe://" + settings.trustDomain() + "/")
                .build();
        var context = DownstreamTlsContext.newBuilder()
                .setRequireClientCertificate(BoolValue.of(true))
                .setCommonTlsContext(CommonTlsContext.newBuilder()
                        .setTlsParams(Wire.tls13())
                        .addAlpnProtocols(alpn)
                        .addTlsCertificateSdsSecretConfigs(Wire.secret(new Kind.Sidecar(), "default"))
                        .setCombinedValidationContext(CommonTlsContext.CombinedCertificateValidationContext.newBuilder()
                                .setDefaultValidationContext(CertificateValidationContext.newBuilder()
                                        .addMatchTypedSubjectAltNames(Wire.uri(anyOfOurs)))
                                .setValidationContextSdsSecretConfig(Wire.secret(new Kind.Sidecar(), "ROOTCA"))))
                .build();
        return tls(context);
    }

    private static TransportSocket tls(DownstreamTlsContext context) {
        return TransportSocket.newBuilder()
                .setName("envoy.transport_sockets.tls")
                .setTypedConfig(Wire.any(context))
                .build();
    }

    private static HttpConnectionManager.Builder manager(
            String name, RouteConfiguration routes, List<HttpFilter> policies) {
        return manager(name, policies).setRouteConfig(routes);
    }

    private static HttpConnectionManager.Builder manager(String name, List<HttpFilter> policies) {
        return HttpConnectionManager.newBuilder()
                .setStatPrefix(name)
                .addAllHttpFilters(policies)
                .addHttpFilters(filter("envoy.filters.http.fault", HTTPFault.getDefaultInstance()))
                .addHttpFilters(filter("envoy.filters.http.router", Router.getDefaultInstance()));
    }

    private static HttpFilter filter(String name, Message configuration) {
        return HttpFilter.newBuilder()
                .setName(name)
                .setTypedConfig(Wire.any(configuration))
                .build();
    }

    private static Filter http(HttpConnectionManager manager) {
        return Filter.newBuilder()
                .setName("envoy.filters.network.http_connection_manager")
                .setTypedConfig(Wire.any(manager))
                .build();
    }
}
