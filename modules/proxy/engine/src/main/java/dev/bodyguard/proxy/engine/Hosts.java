package dev.bodyguard.proxy.engine;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.config.route.v3.DirectResponseAction;
import io.envoyproxy.envoy.config.route.v3.FilterConfig;
import io.envoyproxy.envoy.config.route.v3.RedirectAction;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.config.route.v3.WeightedCluster;
import io.envoyproxy.envoy.extensions.filters.http.fault.v3.HTTPFault;
import io.envoyproxy.envoy.type.v3.FractionalPercent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// `VirtualHost`s, compiled.
final class Hosts {
    /// Envoy's, where a route does not say.
    private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(15);

    private static final String FAULT = "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault";
    private static final String FILTER_CONFIG = "type.googleapis.com/envoy.config.route.v3.FilterConfig";

    private Hosts() {}

    /// A host's rules in order.
    ///
    /// @param index the same rules, by their paths
    /// @param opaque what becomes of bytes that are no HTTP
    /// @param onlyBytes whether nothing else is to be expected
    /// @param none what becomes of requests that no rule matches
    /// @param clusters all that the rules mention
    record Host(
            String name,
            List<Rule> rules,
            RouteIndex index,
            OpaqueRouting opaque,
            boolean onlyBytes,
            Routing none,
            Set<String> clusters) {
        Host {
            rules = List.copyOf(rules);
            clusters = Set.copyOf(clusters);
        }

        Routing route(RequestHead head) {
            int first = index.first(head);
            return first < 0 ? none : rules.get(first).routed;
        }
    }

    /// A match and what it leads to, made once.
    record Rule(Predicate<RequestHead> matches, Routing.Routed routed) {}

    static Host compile(VirtualHost host) throws Invalid {
        var rules = new ArrayList<Rule>();
        var beginnings = new ArrayList<String>();
        var clusters = new LinkedHashSet<String>();
        String hostOrigin = Metadata.origin(host.getMetadata());
        for (int i = 0; i < host.getRoutesCount(); i++) {
            Route route = host.getRoutes(i);
            String field = "routes[" + i + "]";
            Predicate<RequestHead> matches = Matching.compile(route.getMatch(), field + ".match");
            RouteRule rule = rule(host, route, hostOrigin, field);
            if (rule.action() instanceof RouteRule.Forward forward) {
                forward.split().shares().forEach(share -> clusters.add(share.cluster()));
            }
            rules.add(new Rule(matches, new Routing.Routed(rule)));
            beginnings.add(RouteIndex.beginning(route.getMatch()));
        }
        String bytes = Metadata.text(host.getMetadata(), "tcpCluster");
        if (!bytes.isEmpty()) {
            clusters.add(bytes);
        }
        String ports = Metadata.text(host.getMetadata(), "ports");
        return new Host(
                host.getName(),
                rules,
                new RouteIndex(rules, beginnings),
                opaque(host, bytes, ports, hostOrigin),
                !bytes.isEmpty() && Metadata.text(host.getMetadata(), "tcpOnly").equals("true"),
                ports.isEmpty()
                        ? new Routing.NoRoute(host.getName(), hostOrigin)
                        : new Routing.NoPort(host.getName(), ports, hostOrigin),
                clusters);
    }

    private static OpaqueRouting opaque(VirtualHost host, String cluster, String ports, @Nullable String origin) {
        String name = host.getName();
        if (!cluster.isEmpty()) {
            boolean bySource = Metadata.text(host.getMetadata(), "tcpHash").equals("source");
            return new OpaqueRouting.To(cluster, bySource, origin);
        }
        return new OpaqueRouting.Nowhere(
                ports.isEmpty()
                        ? name + " speaks HTTP only by its port's protocol, and these bytes are something else"
                        : new Refusal.NoPort(name, ports, origin).sentence(),
                origin);
    }

    private static RouteRule rule(VirtualHost host, Route route, @Nullable String hostOrigin, String field)
            throws Invalid {
        String origin = Metadata.origin(route.getMetadata());
        RouteRule.Action action = switch (route.getActionCase()) {
            case ROUTE -> forward(host, route.getMatch(), route.getRoute(), field + ".route");
            case REDIRECT -> redirect(route.getMatch(), route.getRedirect(), field + ".redirect");
            case DIRECT_RESPONSE -> answer(route, field + ".direct_response");
            case FILTER_ACTION, NON_FORWARDING_ACTION, ACTION_NOT_SET ->
                throw new Invalid(
                        field, "must have a route, redirect or direct_response, was " + route.getActionCase());
        };
        return new RouteRule(
                route.getName(),
                origin == null ? hostOrigin : origin,
                action,
                changes(
                        List.of(route.getRequestHeadersToRemoveList(), host.getRequestHeadersToRemoveList()),
                        List.of(route.getRequestHeadersToAddList(), host.getRequestHeadersToAddList()),
                        field + ".request_headers_to_add"),
                changes(
                        List.of(route.getResponseHeadersToRemoveList(), host.getResponseHeadersToRemoveList()),
                        List.of(route.getResponseHeadersToAddList(), host.getResponseHeadersToAddList()),
                        field + ".response_headers_to_add"),
                fault(host, route, field));
    }

    private static RouteRule.Forward forward(VirtualHost host, RouteMatch match, RouteAction action, String field)
            throws Invalid {
        Matching.unsupported(action.getRequestMirrorPoliciesCount() > 0, field + ".request_mirror_policies");
        Matching.unsupported(action.hasPathRewritePolicy(), field + ".path_rewrite_policy");
        RouteRule.Split split = switch (action.getClusterSpecifierCase()) {
            case CLUSTER ->
                split(
                        List.of(new RouteRule.Share(action.getCluster(), 1, HeaderChanges.NONE, HeaderChanges.NONE)),
                        field + ".cluster");
            case WEIGHTED_CLUSTERS -> weighted(action.getWeightedClusters(), field + ".weighted_clusters");
            case CLUSTER_HEADER, CLUSTER_SPECIFIER_PLUGIN, INLINE_CLUSTER_SPECIFIER_PLUGIN, CLUSTERSPECIFIER_NOT_SET ->
                throw new Invalid(
                        field, "must name a cluster or weighted_clusters, was " + action.getClusterSpecifierCase());
        };
        Duration timeout = action.hasTimeout() ? duration(action.getTimeout(), field + ".timeout") : DEFAULT_TIMEOUT;
        RetryPolicy retries = RetryPolicy.NONE;
        if (action.hasRetryPolicy()) {
            retries = Retries.compile(action.getRetryPolicy(), field + ".retry_policy");
        } else if (host.hasRetryPolicy()) {
            retries = Retries.compile(host.getRetryPolicy(), "retry_policy");
        }
        return new RouteRule.Forward(split, timeout, retries, rewrite(match, action, field), hash(action, field));
    }

    private static RouteRule.Split weighted(WeightedCluster weighted, String field) throws Invalid {
        var shares = new ArrayList<RouteRule.Share>();
        for (int i = 0; i < weighted.getClustersCount(); i++) {
            var cluster = weighted.getClusters(i);
            String at = field + ".clusters[" + i + "]";
            Matching.unsupported(!cluster.getClusterHeader().isEmpty(), at + ".cluster_header");
            shares.add(new RouteRule.Share(
                    cluster.getName(),
                    Matching.number(cluster.getWeight(), at + ".weight"),
                    changes(
                            List.of(cluster.getRequestHeadersToRemoveList()),
                            List.of(cluster.getRequestHeadersToAddList()),
                            at + ".request_headers_to_add"),
                    changes(
                            List.of(cluster.getResponseHeadersToRemoveList()),
                            List.of(cluster.getResponseHeadersToAddList()),
                            at + ".response_headers_to_add")));
        }
        return split(shares, field);
    }

    private static RouteRule.Split split(List<RouteRule.Share> shares, String field) throws Invalid {
        long total = 0;
        for (RouteRule.Share share : shares) {
            if (share.cluster().isEmpty()) {
                throw new Invalid(field, "must name a cluster, was empty");
            }
            total += share.weight();
        }
        if (total < 1 || total > Integer.MAX_VALUE) {
            throw new Invalid(field, "weights must add up to 1 to " + Integer.MAX_VALUE + ", was " + total);
        }
        return new RouteRule.Split(shares);
    }

    private static RouteRule.Rewrite rewrite(RouteMatch match, RouteAction action, String field) throws Invalid {
        String host = switch (action.getHostRewriteSpecifierCase()) {
            case HOST_REWRITE_LITERAL -> action.getHostRewriteLiteral();
            case HOSTREWRITESPECIFIER_NOT_SET -> null;
            case AUTO_HOST_REWRITE, HOST_REWRITE_HEADER, HOST_REWRITE_PATH_REGEX ->
                throw new Invalid(
                        field,
                        "must rewrite the host literally or not at all, was " + action.getHostRewriteSpecifierCase());
        };
        String path = action.getPrefixRewrite();
        if (action.hasRegexRewrite()) {
            if (!path.isEmpty()) {
                throw new Invalid(field + ".regex_rewrite", "cannot stand beside prefix_rewrite");
            }
            return new RouteRule.Rewrite(
                    host, -1, null, Texts.substitution(action.getRegexRewrite(), field + ".regex_rewrite"));
        }
        if (host == null && path.isEmpty()) {
            return RouteRule.Rewrite.NONE;
        }
        return path.isEmpty()
                ? new RouteRule.Rewrite(host, -1, null, null)
                : new RouteRule.Rewrite(host, prefixLength(match), path, null);
    }

    /// How much of a path the match covers, -1 for all of it.
    private static int prefixLength(RouteMatch match) {
        return switch (match.getPathSpecifierCase()) {
            case PREFIX -> match.getPrefix().length();
            case PATH_SEPARATED_PREFIX -> match.getPathSeparatedPrefix().length();
            default -> -1;
        };
    }

    private static List<RouteRule.HashInput> hash(RouteAction action, String field) throws Invalid {
        var inputs = new ArrayList<RouteRule.HashInput>();
        for (int i = 0; i < action.getHashPolicyCount(); i++) {
            var policy = action.getHashPolicy(i);
            String at = field + ".hash_policy[" + i + "]";
            if (policy.hasConnectionProperties()
                    && !policy.getConnectionProperties().getSourceIp()) {
                continue;
            }
            inputs.add(
                    switch (policy.getPolicySpecifierCase()) {
                        case HEADER ->
                            new RouteRule.HashInput.Header(
                                    policy.getHeader().getHeaderName().toLowerCase(Locale.ROOT));
                        case COOKIE -> cookie(policy.getCookie(), at + ".cookie");
                        case QUERY_PARAMETER ->
                            new RouteRule.HashInput.Query(
                                    policy.getQueryParameter().getName());
                        case CONNECTION_PROPERTIES -> new RouteRule.HashInput.SourceAddress();
                        case FILTER_STATE, POLICYSPECIFIER_NOT_SET ->
                            throw new Invalid(
                                    at,
                                    "must be a header, cookie, query_parameter or connection_properties, was "
                                            + policy.getPolicySpecifierCase());
                    });
        }
        return inputs;
    }

    /// Envoy makes a cookie only where it has a time to live; less than a second is the client's session.
    private static RouteRule.HashInput cookie(RouteAction.HashPolicy.Cookie cookie, String field) throws Invalid {
        String name = inCookie(cookie.getName(), field + ".name");
        if (!name.matches("[^ \",=\\\\]+")) {
            throw new Invalid(field + ".name", "must be a cookie's name, was '" + name + "'");
        }
        if (!cookie.hasTtl()) {
            return new RouteRule.HashInput.Cookie(name, null);
        }
        var attributes = new StringBuilder();
        long seconds = duration(cookie.getTtl(), field + ".ttl").toSeconds();
        if (seconds > 0) {
            attributes.append("; Max-Age=").append(seconds);
        }
        if (!cookie.getPath().isEmpty()) {
            attributes.append("; Path=").append(inCookie(cookie.getPath(), field + ".path"));
        }
        for (int i = 0; i < cookie.getAttributesCount(); i++) {
            String at = field + ".attributes[" + i + "]";
            var attribute = cookie.getAttributes(i);
            attributes.append("; ").append(inCookie(attribute.getName(), at + ".name"));
            if (!attribute.getValue().isEmpty()) {
                attributes.append('=').append(inCookie(attribute.getValue(), at + ".value"));
            }
        }
        return new RouteRule.HashInput.Cookie(
                name, attributes.append("; HttpOnly").toString());
    }

    /// A text that ends neither the attribute it is in nor the header.
    private static String inCookie(String text, String field) throws Invalid {
        for (int i = 0; i < text.length(); i++) {
            char one = text.charAt(i);
            if (one < ' ' || one > '~' || one == ';') {
                throw new Invalid(
                        field, "must be printable ASCII without a semicolon, had character " + (int) one + " at " + i);
            }
        }
        return text;
    }

    private static RouteRule.Redirect redirect(RouteMatch match, RedirectAction action, String field) throws Invalid {
        Matching.unsupported(action.hasRegexRewrite(), field + ".regex_rewrite");
        int status = switch (action.getResponseCode()) {
            case MOVED_PERMANENTLY -> 301;
            case FOUND -> 302;
            case SEE_OTHER -> 303;
            case TEMPORARY_REDIRECT -> 307;
            case PERMANENT_REDIRECT -> 308;
            case UNRECOGNIZED ->
                throw new Invalid(
                        field + ".response_code", "must be a known one, was " + action.getResponseCodeValue());
        };
        String scheme = action.getHttpsRedirect() ? "https" : action.getSchemeRedirect();
        String path = action.getPathRedirect();
        int prefix = -1;
        if (path.isEmpty() && !action.getPrefixRewrite().isEmpty()) {
            path = action.getPrefixRewrite();
            prefix = prefixLength(match);
        }
        return new RouteRule.Redirect(
                status,
                scheme.isEmpty() ? null : scheme,
                action.getHostRedirect().isEmpty() ? null : action.getHostRedirect(),
                action.getPortRedirect(),
                path.isEmpty() ? null : path,
                prefix,
                action.getStripQuery());
    }

    /// What an author wants answered, unless config says that it is an answer for want of a destination.
    private static RouteRule.Action answer(Route route, String field) throws Invalid {
        var said = respond(route.getDirectResponse(), field);
        var origin = Metadata.origin(route.getMetadata());
        return Metadata.text(route.getMetadata(), "leads").equals("nowhere")
                ? new RouteRule.Refuse(new Refusal.Nowhere(said.status(), said.body(), origin))
                : said;
    }

    private static RouteRule.Respond respond(DirectResponseAction action, String field) throws Invalid {
        if (action.getStatus() < 200 || action.getStatus() > 599) {
            throw new Invalid(
                    field + ".status", "must be 200 to 599, was " + Integer.toUnsignedString(action.getStatus()));
        }
        return new RouteRule.Respond(
                action.getStatus(),
                switch (action.getBody().getSpecifierCase()) {
                    case INLINE_STRING -> action.getBody().getInlineString();
                    case INLINE_BYTES -> action.getBody().getInlineBytes().toStringUtf8();
                    case SPECIFIER_NOT_SET -> "";
                    case FILENAME, ENVIRONMENT_VARIABLE ->
                        throw new Invalid(
                                field + ".body",
                                "must be inline, was " + action.getBody().getSpecifierCase());
                });
    }

    private static HeaderChanges changes(
            List<? extends List<String>> removals, List<? extends List<HeaderValueOption>> additions, String field)
            throws Invalid {
        var remove = new ArrayList<String>();
        for (List<String> names : removals) {
            names.forEach(name -> remove.add(name.toLowerCase(Locale.ROOT)));
        }
        var put = new ArrayList<HeaderChanges.Put>();
        for (List<HeaderValueOption> options : additions) {
            for (HeaderValueOption option : options) {
                put.add(new HeaderChanges.Put(
                        option.getHeader().getKey().toLowerCase(Locale.ROOT),
                        literal(option.getHeader().getValue(), field),
                        how(option, field)));
            }
        }
        return remove.isEmpty() && put.isEmpty() ? HeaderChanges.NONE : new HeaderChanges(remove, put);
    }

    @SuppressWarnings("deprecation") // `append` is what control planes of today still write.
    private static HeaderChanges.How how(HeaderValueOption option, String field) throws Invalid {
        if (option.hasAppend()) {
            return option.getAppend().getValue() ? HeaderChanges.How.APPEND : HeaderChanges.How.OVERWRITE_OR_ADD;
        }
        return switch (option.getAppendAction()) {
            case APPEND_IF_EXISTS_OR_ADD -> HeaderChanges.How.APPEND;
            case ADD_IF_ABSENT -> HeaderChanges.How.ADD_IF_ABSENT;
            case OVERWRITE_IF_EXISTS_OR_ADD -> HeaderChanges.How.OVERWRITE_OR_ADD;
            case OVERWRITE_IF_EXISTS -> HeaderChanges.How.OVERWRITE_IF_PRESENT;
            case UNRECOGNIZED ->
                throw new Invalid(field, "append_action must be a known one, was " + option.getAppendActionValue());
        };
    }

    /// Envoy substitutes `%…%` and reads `%%` as one; we only read the latter.
    private static String literal(String value, String field) throws Invalid {
        String plain = value.replace("%%", "");
        if (plain.indexOf('%') >= 0) {
            throw new Invalid(field, "substitution is not supported, write %% for a percent sign, was " + value);
        }
        return value.replace("%%", "%");
    }

    private static RouteRule.@Nullable Fault fault(VirtualHost host, Route route, String field) throws Invalid {
        RouteRule.Fault ofHost = fault(host.getTypedPerFilterConfigMap(), "typed_per_filter_config");
        RouteRule.Fault ofRoute = fault(route.getTypedPerFilterConfigMap(), field + ".typed_per_filter_config");
        return ofRoute == null ? ofHost : ofRoute;
    }

    private static RouteRule.@Nullable Fault fault(Map<String, Any> filters, String field) throws Invalid {
        RouteRule.Fault found = null;
        for (var filter : filters.entrySet()) {
            String at = field + "[" + filter.getKey() + "]";
            Any config = filter.getValue();
            boolean optional = false;
            try {
                if (config.getTypeUrl().equals(FILTER_CONFIG)) {
                    FilterConfig wrapped = FilterConfig.parseFrom(config.getValue());
                    optional = wrapped.getIsOptional() || wrapped.getDisabled();
                    config = wrapped.getConfig();
                }
                if (config.getTypeUrl().equals(FAULT)) {
                    found = fault(HTTPFault.parseFrom(config.getValue()), at);
                } else if (!optional) {
                    throw new Invalid(at, "filter is not known, and not marked is_optional: " + config.getTypeUrl());
                }
            } catch (InvalidProtocolBufferException broken) {
                throw new Invalid(at, "cannot be read: " + broken.getMessage());
            }
        }
        return found;
    }

    private static RouteRule.Fault fault(HTTPFault fault, String field) throws Invalid {
        Duration delay = Duration.ZERO;
        double delayed = 0;
        if (fault.hasDelay()) {
            Matching.unsupported(fault.getDelay().hasHeaderDelay(), field + ".delay.header_delay");
            delay = duration(fault.getDelay().getFixedDelay(), field + ".delay.fixed_delay");
            delayed = percent(fault.getDelay().getPercentage());
        }
        int status = 503;
        double aborted = 0;
        if (fault.hasAbort()) {
            Matching.unsupported(fault.getAbort().hasHeaderAbort(), field + ".abort.header_abort");
            Matching.unsupported(fault.getAbort().hasGrpcStatus(), field + ".abort.grpc_status");
            status = fault.getAbort().getHttpStatus();
            if (status < 200 || status > 599) {
                throw new Invalid(field + ".abort.http_status", "must be 200 to 599, was " + status);
            }
            aborted = percent(fault.getAbort().getPercentage());
        }
        return new RouteRule.Fault(delay, delayed, status, aborted);
    }

    private static double percent(FractionalPercent percent) {
        double numerator = Integer.toUnsignedLong(percent.getNumerator());
        return switch (percent.getDenominator()) {
            case HUNDRED, UNRECOGNIZED -> numerator;
            case TEN_THOUSAND -> numerator / 100;
            case MILLION -> numerator / 10_000;
        };
    }

    /// A duration that is not negative and not longer than protobuf allows.
    static Duration duration(com.google.protobuf.Duration value, String field) throws Invalid {
        if (value.getSeconds() < 0
                || value.getNanos() < 0
                || value.getNanos() > 999_999_999
                || value.getSeconds() > 315_576_000_000L) {
            throw new Invalid(
                    field,
                    "must be a duration of 0 or more, was " + value.getSeconds() + "s " + value.getNanos() + "ns");
        }
        return Duration.ofSeconds(value.getSeconds(), value.getNanos());
    }

    /// Envoy's retry policies.
    static final class Retries {
        private Retries() {}

        static RetryPolicy compile(io.envoyproxy.envoy.config.route.v3.RetryPolicy policy, String field)
                throws Invalid {
            var on = new ArrayList<RetryOn>();
            var statuses = new HashSet<Integer>();
            for (String word : policy.getRetryOn().split(",", -1)) {
                RetryOn known = RetryOn.of(word);
                if (known != null) {
                    on.add(known);
                }
                // Envoy passes over words it does not know, and so do we: newer ones must not cost a whole host.
            }
            for (int status : policy.getRetriableStatusCodesList()) {
                statuses.add(status);
            }
            int retries = policy.hasNumRetries() ? Matching.number(policy.getNumRetries(), field + ".num_retries") : 1;
            Duration base = Duration.ofMillis(25);
            Duration most = base.multipliedBy(10);
            if (policy.hasRetryBackOff()) {
                var backoff = policy.getRetryBackOff();
                base = duration(backoff.getBaseInterval(), field + ".retry_back_off.base_interval");
                // Envoy rounds up to whole milliseconds too.
                base = base.toMillis() < 1 ? Duration.ofMillis(1) : base;
                most = backoff.hasMaxInterval()
                        ? duration(backoff.getMaxInterval(), field + ".retry_back_off.max_interval")
                        : base.multipliedBy(10);
                if (most.compareTo(base) < 0) {
                    throw new Invalid(
                            field + ".retry_back_off.max_interval",
                            "must be at least base_interval, " + base + ", was " + most);
                }
            }
            return new RetryPolicy(
                    on,
                    statuses,
                    on.isEmpty() ? 0 : retries,
                    policy.hasPerTryTimeout()
                            ? duration(policy.getPerTryTimeout(), field + ".per_try_timeout")
                            : Duration.ZERO,
                    base,
                    most,
                    policy.getRetryHostPredicateList().stream()
                            .anyMatch(p -> p.getName().endsWith("previous_hosts")));
        }
    }
}
