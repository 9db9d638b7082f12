package dev.bodyguard.proxy.engine;

import com.google.protobuf.InvalidProtocolBufferException;
import io.envoyproxy.envoy.config.core.v3.TrafficDirection;
import io.envoyproxy.envoy.config.listener.v3.FilterChain;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit;
import io.envoyproxy.envoy.extensions.filters.http.rbac.v3.RBAC;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.envoyproxy.envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CommonTlsContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// `Listener`s, compiled.
final class Listeners {
    private static final String TYPES = "type.googleapis.com/envoy.extensions.";
    private static final String MANAGER = TYPES + "filters.network.http_connection_manager.v3.HttpConnectionManager";
    private static final String TCP_PROXY = TYPES + "filters.network.tcp_proxy.v3.TcpProxy";
    /// In ALPN: bytes that are no HTTP follow.
    private static final String BYTES = "istio";

    /// The SDS secret with this workload's SVID.
    private static final String MESH_SECRET = "default";

    private static final InboundRule.Security NOBODY = new InboundRule.Security(false, false, "", Set.of());
    private static final String DOWNSTREAM_TLS = TYPES + "transport_sockets.tls.v3.DownstreamTlsContext";
    private static final String RBAC_FILTER = TYPES + "filters.http.rbac.v3.RBAC";
    private static final String RATE_LIMIT_FILTER = TYPES + "filters.http.local_ratelimit.v3.LocalRateLimit";
    private static final String ROUTER = TYPES + "filters.http.router.v3.Router";
    private static final String FAULT = TYPES + "filters.http.fault.v3.HTTPFault";

    private Listeners() {}

    /// One of the two listeners.
    sealed interface Side {
        Set<String> clusters();

        /// What its rate limits count with.
        default Set<Rates.Key> counted() {
            return Set.of();
        }
    }

    /// Where the application's own requests come in.
    record Outbound(Routing.Fallback fallback, Set<String> clusters) implements Side {}

    /// Where requests to the application come in.
    record Inbound(Map<Integer, InboundRule> ports, Set<String> clusters, Set<Rates.Key> counted) implements Side {}

    /// @param rates keeps what requests are counted with
    static Side compile(String name, Listener listener, Rates rates) throws Invalid {
        boolean outbound = listener.getTrafficDirection() == TrafficDirection.OUTBOUND || name.equals("outbound");
        boolean inbound = listener.getTrafficDirection() == TrafficDirection.INBOUND || name.equals("inbound");
        if (outbound == inbound) {
            throw new Invalid("traffic_direction", "must be OUTBOUND or INBOUND for a listener called " + name);
        }
        return outbound ? outbound(listener) : inbound(listener, rates);
    }

    private static Outbound outbound(Listener listener) throws Invalid {
        HttpConnectionManager manager;
        if (listener.hasDefaultFilterChain()) {
            manager = manager(listener.getDefaultFilterChain(), "default_filter_chain");
        } else if (listener.getFilterChainsCount() > 0) {
            manager = manager(listener.getFilterChains(0), "filter_chains[0]");
        } else {
            throw new Invalid("filter_chains", "must have one with an HttpConnectionManager");
        }
        new Filters(manager, "http_filters", new Rates(), new HashSet<>());
        for (VirtualHost host : manager.getRouteConfig().getVirtualHostsList()) {
            if (host.getDomainsList().contains("*")) {
                Hosts.Host compiled = Hosts.compile(host);
                return new Outbound(fallback(compiled), compiled.clusters());
            }
        }
        throw new Invalid("route_config.virtual_hosts", "must have one for the domain *");
    }

    private static Routing.Fallback fallback(Hosts.Host host) throws Invalid {
        if (host.rules().isEmpty()) {
            throw new Invalid("route_config.virtual_hosts[*].routes", "must not be empty");
        }
        return switch (host.rules().getFirst().routed().rule().action()) {
            case RouteRule.Forward forward ->
                new Routing.Fallback.PassThrough(
                        forward.split().shares().getFirst().cluster());
            case RouteRule.Respond(int status, String body) -> new Routing.Fallback.Block(status, body);
            case RouteRule.Redirect _, RouteRule.Refuse _ ->
                throw new Invalid("route_config.virtual_hosts[*].routes[0]", "must be a route or a direct_response");
        };
    }

    private static Inbound inbound(Listener listener, Rates rates) throws Invalid {
        var counted = new HashSet<Rates.Key>();
        var ports = new HashMap<Integer, InboundRule>();
        var ended = new HashMap<Integer, InboundRule.Certificate>();
        var insides = new HashMap<Integer, InboundRule.Certificate>();
        var clusters = new LinkedHashSet<String>();
        var proven = opaque(listener, true);
        var unproven = opaque(listener, false);
        clusters.addAll(proven.values());
        clusters.addAll(unproven.values());
        for (int i = 0; i < listener.getFilterChainsCount(); i++) {
            FilterChain chain = listener.getFilterChains(i);
            String field = "filter_chains[" + i + "]";
            int port = port(chain, field);
            if (isOpaque(chain)) {
                continue;
            }
            var own = ownCertificate(chain, field + ".transport_socket");
            InboundRule.Security security = own != null ? NOBODY : security(chain, field + ".transport_socket");
            var inside = inside(chain);
            if (own != null) {
                if (ended.put(port, own) != null) {
                    throw new Invalid(
                            field + ".filter_chain_match", "matches the same connections as a chain before it");
                }
            } else if (inside != null) {
                insides.put(port, inside);
            }
            HttpConnectionManager manager = manager(chain, field);
            InboundRule before = ports.get(port);
            if (before != null) {
                // TLS and plaintext on one port are two chains; rules come from the first.
                security = both(before.security(), security, field);
            }
            var filters = new Filters(manager, field + ".http_filters", rates, counted);
            VirtualHost host = any(manager, field);
            var rule = new InboundRule(
                    port,
                    security,
                    Hosts.compile(host),
                    paths(manager, field),
                    filters.authorizations,
                    new RateLimits(filters.limits),
                    new InboundRule.Opaque(proven.get(port), unproven.get(port)),
                    ending(ended.get(port), insides.get(port)));
            ports.put(port, rule);
            clusters.addAll(rule.clusters());
        }
        return new Inbound(Map.copyOf(ports), Set.copyOf(clusters), Set.copyOf(counted));
    }

    /// The application's port, or that of every one that has no chain.
    private static int port(FilterChain chain, String field) throws Invalid {
        if (!chain.getFilterChainMatch().hasDestinationPort()) {
            return Plan.ANY_OTHER;
        }
        int port = chain.getFilterChainMatch().getDestinationPort().getValue();
        if (port < 1 || port > 65_535) {
            throw new Invalid(
                    field + ".filter_chain_match.destination_port",
                    "must be 1 to 65535, was " + Integer.toUnsignedString(port));
        }
        return port;
    }

    private static CanonicalPath paths(HttpConnectionManager manager, String field) throws Invalid {
        var slashes = switch (manager.getPathWithEscapedSlashesAction()) {
            case IMPLEMENTATION_SPECIFIC_DEFAULT, KEEP_UNCHANGED -> CanonicalPath.Slashes.KEPT;
            case REJECT_REQUEST -> CanonicalPath.Slashes.REFUSED;
            case UNESCAPE_AND_FORWARD -> CanonicalPath.Slashes.UNESCAPED;
            case UNESCAPE_AND_REDIRECT, UNRECOGNIZED ->
                throw new Invalid(
                        field + ".path_with_escaped_slashes_action",
                        "must be KEEP_UNCHANGED, REJECT_REQUEST or UNESCAPE_AND_FORWARD, was "
                                + manager.getPathWithEscapedSlashesActionValue());
        };
        boolean active = manager.getNormalizePath().getValue()
                || manager.getMergeSlashes()
                || slashes != CanonicalPath.Slashes.KEPT;
        return new CanonicalPath(active, manager.getMergeSlashes(), slashes);
    }

    private static boolean isOpaque(FilterChain chain) {
        return chain.getFiltersList().stream()
                .anyMatch(filter -> filter.getTypedConfig().getTypeUrl().equals(TCP_PROXY));
    }

    /// Where bytes go that are no HTTP, by port: those that a peer announces, or anybody's.
    private static Map<Integer, String> opaque(Listener listener, boolean proven) throws Invalid {
        var clusters = new HashMap<Integer, String>();
        for (int i = 0; i < listener.getFilterChainsCount(); i++) {
            FilterChain chain = listener.getFilterChains(i);
            String field = "filter_chains[" + i + "]";
            if (!isOpaque(chain)) {
                continue;
            }
            boolean tls = security(chain, field + ".transport_socket").tls();
            boolean announced =
                    chain.getFilterChainMatch().getApplicationProtocolsList().contains(BYTES);
            if (tls != announced) {
                throw new Invalid(
                        field + ".filter_chain_match.application_protocols",
                        "must have " + BYTES + " where there is a DownstreamTlsContext, and only there");
            }
            if (chain.getFiltersCount() != 1) {
                throw new Invalid(field + ".filters", "must be one TcpProxy and nothing else");
            }
            if (tls != proven) {
                continue;
            }
            try {
                var proxy =
                        TcpProxy.parseFrom(chain.getFilters(0).getTypedConfig().getValue());
                Matching.unsupported(!proxy.hasCluster(), field + ".filters[0] without a cluster");
                clusters.put(port(chain, field), proxy.getCluster());
            } catch (InvalidProtocolBufferException broken) {
                throw new Invalid(field + ".filters[0]", "cannot be read: " + broken.getMessage());
            }
        }
        return clusters;
    }

    private static InboundRule.Security both(InboundRule.Security one, InboundRule.Security other, String field)
            throws Invalid {
        if ((one.tls() && other.tls()) || (one.plaintext() && other.plaintext())) {
            throw new Invalid(field + ".filter_chain_match", "matches the same connections as a chain before it");
        }
        return new InboundRule.Security(
                one.tls() || other.tls(),
                one.plaintext() || other.plaintext(),
                one.tls() ? one.peers() : other.peers(),
                one.tls() ? one.announced() : other.announced());
    }

    private static VirtualHost any(HttpConnectionManager manager, String field) throws Invalid {
        for (VirtualHost host : manager.getRouteConfig().getVirtualHostsList()) {
            if (host.getDomainsList().contains("*")) {
                return host;
            }
        }
        throw new Invalid(field + ".route_config.virtual_hosts", "must have one for the domain *");
    }

    private static InboundRule.@Nullable Ending ending(
            InboundRule.@Nullable Certificate ended, InboundRule.@Nullable Certificate inside) {
        if (ended != null) {
            return new InboundRule.Ending(ended, true);
        }
        return inside == null ? null : new InboundRule.Ending(inside, false);
    }

    /// What TLS inside of mutual TLS is ended by.
    private static InboundRule.@Nullable Certificate inside(FilterChain chain) {
        var name = Metadata.text(chain.getMetadata(), "certificate");
        var clients = Metadata.text(chain.getMetadata(), "clients");
        return name.isEmpty() ? null : new InboundRule.Certificate(name, clients.isEmpty() ? null : clients);
    }

    /// Null where a chain has no TLS or the mesh's own, whose secret is called `default`.
    private static InboundRule.@Nullable Certificate ownCertificate(FilterChain chain, String field) throws Invalid {
        var config = chain.getTransportSocket().getTypedConfig();
        if (!config.getTypeUrl().equals(DOWNSTREAM_TLS)) {
            return null;
        }
        try {
            var tls = DownstreamTlsContext.parseFrom(config.getValue());
            var secrets = tls.getCommonTlsContext().getTlsCertificateSdsSecretConfigsList();
            if (secrets.isEmpty() || secrets.getFirst().getName().equals(MESH_SECRET)) {
                return null;
            }
            var clients = tls.getCommonTlsContext()
                    .getValidationContextSdsSecretConfig()
                    .getName();
            if (tls.getRequireClientCertificate().getValue() == clients.isEmpty()) {
                throw new Invalid(
                        field + ".validation_context_sds_secret_config",
                        "must be there where require_client_certificate is true, and only there");
            }
            return new InboundRule.Certificate(secrets.getFirst().getName(), clients.isEmpty() ? null : clients);
        } catch (InvalidProtocolBufferException broken) {
            throw new Invalid(field, "cannot be read: " + broken.getMessage());
        }
    }

    private static InboundRule.Security security(FilterChain chain, String field) throws Invalid {
        if (!chain.hasTransportSocket()
                || chain.getTransportSocket().getTypedConfig().getTypeUrl().endsWith(".RawBuffer")) {
            return new InboundRule.Security(false, true, "", Set.of());
        }
        String type = chain.getTransportSocket().getTypedConfig().getTypeUrl();
        if (!type.equals(DOWNSTREAM_TLS)) {
            throw new Invalid(field, "must be a DownstreamTlsContext or none, was " + type);
        }
        DownstreamTlsContext tls;
        try {
            tls = DownstreamTlsContext.parseFrom(
                    chain.getTransportSocket().getTypedConfig().getValue());
        } catch (InvalidProtocolBufferException broken) {
            throw new Invalid(field, "cannot be read: " + broken.getMessage());
        }
        if (!tls.getRequireClientCertificate().getValue()) {
            throw new Invalid(field + ".require_client_certificate", "must be true: peers without identity stay out");
        }
        CommonTlsContext common = tls.getCommonTlsContext();
        CertificateValidationContext validation = common.hasCombinedValidationContext()
                ? common.getCombinedValidationContext().getDefaultValidationContext()
                : common.getValidationContext();
        if (validation.getMatchTypedSubjectAltNamesCount() > 1) {
            throw new Invalid(field + ".match_typed_subject_alt_names", "must be one URI prefix at most");
        }
        String peers = "";
        for (SubjectAltNameMatcher san : validation.getMatchTypedSubjectAltNamesList()) {
            if (san.getSanType() != SubjectAltNameMatcher.SanType.URI
                    || san.getMatcher().getMatchPatternCase() != StringMatcher.MatchPatternCase.PREFIX) {
                throw new Invalid(
                        field + ".match_typed_subject_alt_names",
                        "must be a URI prefix, was " + san.getSanType() + " "
                                + san.getMatcher().getMatchPatternCase());
            }
            peers = san.getMatcher().getPrefix();
        }
        return new InboundRule.Security(
                true, false, peers, Set.copyOf(chain.getFilterChainMatch().getApplicationProtocolsList()));
    }

    private static HttpConnectionManager manager(FilterChain chain, String field) throws Invalid {
        for (int i = 0; i < chain.getFiltersCount(); i++) {
            if (chain.getFilters(i).getTypedConfig().getTypeUrl().equals(MANAGER)) {
                try {
                    return HttpConnectionManager.parseFrom(
                            chain.getFilters(i).getTypedConfig().getValue());
                } catch (InvalidProtocolBufferException broken) {
                    throw new Invalid(field + ".filters[" + i + "]", "cannot be read: " + broken.getMessage());
                }
            }
        }
        throw new Invalid(field + ".filters", "must have an HttpConnectionManager");
    }

    /// What the filters of a chain ask of a request.
    private static final class Filters {
        final List<Authorization> authorizations = new ArrayList<>();
        final List<RateLimits.Limit> limits = new ArrayList<>();

        Filters(HttpConnectionManager manager, String field, Rates rates, Set<Rates.Key> counted) throws Invalid {
            for (HttpFilter filter : manager.getHttpFiltersList()) {
                String at = field + "[" + filter.getName() + "]";
                if (filter.getDisabled()) {
                    continue;
                }
                switch (filter.getTypedConfig().getTypeUrl()) {
                    case RBAC_FILTER -> {
                        Authorization compiled = rbac(filter, at);
                        if (compiled != null) {
                            authorizations.add(compiled);
                        }
                    }
                    case RATE_LIMIT_FILTER ->
                        limits.addAll(RateLimits.compile(rateLimit(filter, at), at, rates, counted));
                    // The router is what we are; the fault filter's configuration is per route.
                    case ROUTER, FAULT -> {}
                    default -> {
                        if (!filter.getIsOptional()) {
                            throw new Invalid(
                                    at,
                                    "filter is not known, and not marked is_optional: "
                                            + filter.getTypedConfig().getTypeUrl());
                        }
                    }
                }
            }
        }
    }

    private static LocalRateLimit rateLimit(HttpFilter filter, String field) throws Invalid {
        try {
            return LocalRateLimit.parseFrom(filter.getTypedConfig().getValue());
        } catch (InvalidProtocolBufferException broken) {
            throw new Invalid(field, "cannot be read: " + broken.getMessage());
        }
    }

    private static @Nullable Authorization rbac(HttpFilter filter, String field) throws Invalid {
        try {
            RBAC rbac = RBAC.parseFrom(filter.getTypedConfig().getValue());
            Matching.unsupported(rbac.hasMatcher(), field + ".matcher");
            return rbac.hasRules() ? Authorization.compile(rbac.getRules(), field + ".rules") : null;
        } catch (InvalidProtocolBufferException broken) {
            throw new Invalid(field, "cannot be read: " + broken.getMessage());
        }
    }
}
