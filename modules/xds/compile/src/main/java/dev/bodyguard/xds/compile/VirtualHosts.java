package dev.bodyguard.xds.compile;

import com.google.protobuf.Any;
import com.google.protobuf.BoolValue;
import com.google.protobuf.Duration;
import com.google.protobuf.UInt32Value;
import dev.bodyguard.model.HttpMatch;
import dev.bodyguard.model.HttpRoutes;
import dev.bodyguard.model.HttpRule;
import dev.bodyguard.model.HttpRule.Action;
import dev.bodyguard.model.HttpRule.Destination;
import dev.bodyguard.model.HttpRule.HeaderEdit;
import dev.bodyguard.model.HttpRule.RedirectPort;
import dev.bodyguard.model.HttpRule.Retries;
import dev.bodyguard.model.HttpRule.Weighted;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.Service;
import dev.bodyguard.model.StringMatch;
import io.envoyproxy.envoy.config.core.v3.DataSource;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.config.route.v3.DirectResponseAction;
import io.envoyproxy.envoy.config.route.v3.HeaderMatcher;
import io.envoyproxy.envoy.config.route.v3.QueryParameterMatcher;
import io.envoyproxy.envoy.config.route.v3.RedirectAction;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.config.route.v3.WeightedCluster;
import io.envoyproxy.envoy.extensions.filters.common.fault.v3.FaultDelay;
import io.envoyproxy.envoy.extensions.filters.http.fault.v3.FaultAbort;
import io.envoyproxy.envoy.extensions.filters.http.fault.v3.HTTPFault;
import io.envoyproxy.envoy.type.matcher.v3.RegexMatchAndSubstitute;
import io.envoyproxy.envoy.type.matcher.v3.RegexMatcher;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import io.envoyproxy.envoy.type.v3.FractionalPercent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What a client means by an authority, as a virtual host whose routes are asked in order.
final class VirtualHosts {
    /// Methods of which a repetition does no harm (RFC 9110 §9.2.2).
    private static final String IDEMPOTENT = "GET|HEAD|OPTIONS|TRACE|PUT|DELETE";

    /// Conditions of which a request that was processed may be the cause.
    private static final String REPEATABLE = "5xx,connect-failure,reset";

    private static final String REPEATABLE_BY_STATUS = "retriable-status-codes,connect-failure,reset";

    /// Conditions under which no application saw the request.
    private static final String UNPROCESSED = "connect-failure,refused-stream";

    private static final int USUAL_ATTEMPTS = 2;
    private static final long BACKOFF_MILLIS = 25;

    private final Mesh mesh;
    private final HashPolicies hashed;

    VirtualHosts(Mesh mesh) {
        this.mesh = mesh;
        this.hashed = new HashPolicies(mesh);
    }

    /// @param name `<port>/<authority>`
    Optional<VirtualHost> compile(Proxy proxy, String name) {
        int slash = name.indexOf('/');
        var port = slash < 0 ? Optional.<Integer>empty() : Names.port(name.substring(0, slash));
        if (port.isEmpty()) {
            return Optional.empty();
        }
        var authority = name.substring(slash + 1);
        return mesh.known(authority, proxy.namespace())
                .flatMap(host -> new View(proxy, name, authority, host, port.get()).virtualHost());
    }

    /// One host and port as one client sees it.
    private final class View {
        private final Proxy proxy;
        private final String name;
        private final String authority;
        private final String host;
        private final int port;

        View(Proxy proxy, String name, String authority, String host, int port) {
            this.proxy = proxy;
            this.name = name;
            this.authority = authority;
            this.host = host;
            this.port = port;
        }

        Optional<VirtualHost> virtualHost() {
            var service = mesh.resolve(authority, proxy.namespace());
            if (service.isPresent() && service.get().port(port).isEmpty()) {
                // A wildcard claims only the ports that it lists.
                return service.filter(one -> !one.host().startsWith("*")).map(this::withoutThePort);
            }
            var routes = mesh.routes(host, proxy.namespace(), port);
            if (routes.isPresent()) {
                return Optional.of(named(facts(routes.get().origin(), service))
                        .addAllRoutes(authored(routes.get()))
                        .build());
            }
            return service.map(one -> named(facts(one.origin(), service))
                    .addRoutes(plain(one.host(), one.origin()))
                    .build());
        }

        /// A host that is known is not a stranger's on other ports: no route of it matches there.
        private VirtualHost withoutThePort(Service service) {
            var ports = service.ports().stream()
                    .map(known -> String.valueOf(known.number()))
                    .collect(Collectors.joining(", "));
            return named(Map.of("origin", service.origin().toString(), "ports", ports))
                    .build();
        }

        /// Where bytes that are no HTTP go cannot be said in a virtual host, so it is said beside it.
        private Map<String, String> facts(Origin origin, Optional<Service> service) {
            var facts = new TreeMap<>(Map.of("origin", origin.toString()));
            service.ifPresent(one -> one.port(port)
                    .filter(known -> carriesBytes(known.protocol()))
                    .ifPresent(known -> {
                        var bytes = new Names.Outbound(port, "", one.host());
                        facts.put("tcpCluster", bytes.toString());
                        if (known.protocol() == Service.Protocol.TCP) {
                            // Nobody need wait for the client's first bytes to know that they are no HTTP.
                            facts.put("tcpOnly", "true");
                        }
                        if (hashed.bySource(bytes)) {
                            facts.put("tcpHash", "source");
                        }
                    }));
            return facts;
        }

        private static boolean carriesBytes(Service.Protocol protocol) {
            return switch (protocol) {
                case DETECTED, TCP, TLS -> true;
                case HTTP, HTTP2, GRPC -> false;
            };
        }

        private VirtualHost.Builder named(Map<String, String> facts) {
            var bare = authority.endsWith(":" + port)
                    ? authority.substring(
                            0, authority.length() - String.valueOf(port).length() - 1)
                    : authority;
            return VirtualHost.newBuilder()
                    .setName(name)
                    .addDomains(bare)
                    .addDomains(bare + ":" + port)
                    .setMetadata(Wire.metadata(facts));
        }

        private Route plain(String service, Origin origin) {
            var all = new Names.Outbound(port, "", service);
            return Route.newBuilder()
                    .setName("default")
                    .setMatch(RouteMatch.newBuilder().setPrefix("/"))
                    .setMetadata(Wire.metadata(origin))
                    .setRoute(RouteAction.newBuilder()
                            .setCluster(all.toString())
                            .setTimeout(Duration.getDefaultInstance())
                            .addAllHashPolicy(hashed.of(Stream.of(all)))
                            .setRetryPolicy(retries(USUAL_ATTEMPTS, UNPROCESSED)))
                    .build();
        }

        private List<Route> authored(HttpRoutes routes) {
            var all = new ArrayList<Route>();
            for (var rule : routes.rules()) {
                if (rule.matches().isEmpty()) {
                    all.addAll(split(rule, new Matched(everything(), Rest.ANYTHING), rule.name()));
                }
                for (var match : rule.matches()) {
                    if (concerns(match)) {
                        matched(match).forEach(one -> all.addAll(split(rule, one, nameOf(rule, match))));
                    }
                }
            }
            return all;
        }

        private boolean concerns(HttpMatch match) {
            return (match.gateways().isEmpty() || match.gateways().contains(HttpMatch.MESH))
                    && (match.sourceNamespace().isEmpty()
                            || match.sourceNamespace().equals(proxy.namespace()))
                    && proxy.labels()
                            .entrySet()
                            .containsAll(match.sourceLabels().entrySet())
                    && (match.port() == 0 || match.port() == port);
        }

        // The retry rule depends on the request, and a route has one retry policy: so one route per case, in order.
        private List<Route> split(HttpRule rule, Matched matched, String name) {
            if (!(rule.action() instanceof Action.Forward)) {
                return List.of(route(rule, matched, name, null));
            }
            return switch (rule.retries()) {
                case Retries.Never _ -> List.of(route(rule, matched, name, null));
                case Retries.Unsaid _ -> List.of(route(rule, matched, name, retries(USUAL_ATTEMPTS, UNPROCESSED)));
                case Retries.Explicit said
                when !said.conditions().isEmpty() ->
                    List.of(route(rule, matched, name, retries(said, String.join(",", said.conditions()))));
                case Retries.Explicit said -> {
                    var repeatable = retries(said, said.statuses().isEmpty() ? REPEATABLE : REPEATABLE_BY_STATUS);
                    yield List.of(
                            route(rule, matched.with(idempotentMethod()), name, repeatable),
                            route(rule, matched.with(idempotencyKey()), name, repeatable),
                            route(rule, matched, name, retries(said.withoutStatuses(), UNPROCESSED)));
                }
            };
        }

        private Route route(HttpRule rule, Matched matched, String name, @Nullable RetryPolicy retries) {
            var route = Route.newBuilder()
                    .setName(name)
                    .setMatch(matched.match())
                    .setMetadata(Wire.metadata(rule.origin()));
            switch (rule.action()) {
                case Action.Forward(var destinations) -> forward(route, rule, destinations, matched.rest(), retries);
                case Action.Redirect redirect -> route.setRedirect(redirect(redirect, matched.rest()));
                case Action.Respond(int status, String body) -> route.setDirectResponse(respond(status, body));
                case Action.Refuse(int status, String sentence) -> refuse(route, rule, status, sentence);
            }
            edit(rule.headers().request(), route::addAllRequestHeadersToAdd, route::addAllRequestHeadersToRemove);
            edit(rule.headers().response(), route::addAllResponseHeadersToAdd, route::addAllResponseHeadersToRemove);
            fault(rule).ifPresent(fault -> route.putTypedPerFilterConfig("envoy.filters.http.fault", Wire.any(fault)));
            return route.build();
        }

        private void forward(
                Route.Builder route,
                HttpRule rule,
                List<Weighted> destinations,
                Rest rest,
                @Nullable RetryPolicy retries) {
            var drawn = destinations.stream().filter(one -> one.weight() > 0).toList();
            if (drawn.size() == 1 && !mesh.defined(drawn.getFirst().destination())) {
                refuse(route, rule, 503, undefined(drawn.getFirst().destination()));
                return;
            }
            var action = RouteAction.newBuilder();
            var timeout = rule.timeout();
            action.setTimeout(timeout == null ? Duration.getDefaultInstance() : Wire.duration(timeout));
            if (retries != null) {
                action.setRetryPolicy(retries);
            }
            if (destinations.size() == 1) {
                var only = destinations.getFirst();
                action.setCluster(cluster(only.destination()).toString());
                edit(only.headers().request(), route::addAllRequestHeadersToAdd, route::addAllRequestHeadersToRemove);
                edit(
                        only.headers().response(),
                        route::addAllResponseHeadersToAdd,
                        route::addAllResponseHeadersToRemove);
            } else {
                var weighted = WeightedCluster.newBuilder();
                destinations.forEach(one -> weighted.addClusters(share(one)));
                action.setWeightedClusters(weighted);
            }
            action.addAllHashPolicy(hashed.of(drawn.stream().map(one -> cluster(one.destination()))));
            var rewrite = rule.rewrite();
            if (rewrite != null && rewrite.prefix() != null) {
                action.setPrefixRewrite(rest.after(rewrite.prefix()));
            }
            if (rewrite != null && rewrite.path() != null) {
                if (rest == Rest.NOTHING || rest == Rest.END_OF_SEGMENT) {
                    action.setPrefixRewrite(rewrite.path());
                } else {
                    action.setRegexRewrite(RegexMatchAndSubstitute.newBuilder()
                            .setPattern(regex("^/.*$"))
                            .setSubstitution(rewrite.path().replace("\\", "\\\\")));
                }
            }
            if (rewrite != null && rewrite.authority() != null) {
                action.setHostRewriteLiteral(rewrite.authority());
            }
            route.setRoute(action);
        }

        private WeightedCluster.ClusterWeight share(Weighted one) {
            var share = WeightedCluster.ClusterWeight.newBuilder()
                    .setName(cluster(one.destination()).toString())
                    .setWeight(Wire.number(one.weight()));
            edit(one.headers().request(), share::addAllRequestHeadersToAdd, share::addAllRequestHeadersToRemove);
            edit(one.headers().response(), share::addAllResponseHeadersToAdd, share::addAllResponseHeadersToRemove);
            return share.build();
        }

        private Names.Outbound cluster(Destination destination) {
            int number = destination.port();
            if (number == 0) {
                var ports = mesh.destination(destination.host())
                        .map(service -> service.ports())
                        .orElse(List.of());
                number = ports.size() == 1 ? ports.getFirst().number() : port;
            }
            return new Names.Outbound(number, destination.subset(), destination.host());
        }

        private RedirectAction redirect(Action.Redirect said, Rest rest) {
            var redirect = RedirectAction.newBuilder();
            if (said.path() != null) {
                redirect.setPathRedirect(said.path());
            }
            if (said.prefix() != null) {
                redirect.setPrefixRewrite(rest.after(said.prefix()));
            }
            if (said.authority() != null) {
                redirect.setHostRedirect(said.authority());
            }
            if (said.scheme() != null) {
                redirect.setSchemeRedirect(said.scheme());
            }
            switch (said.port()) {
                case RedirectPort.AsRequested _ -> {}
                case RedirectPort.Fixed(int fixed) -> redirect.setPortRedirect(fixed);
                case RedirectPort.OfRequest _ -> redirect.setPortRedirect(port);
                case RedirectPort.Kept _ -> {
                    if (port != 80) {
                        redirect.setPortRedirect(port);
                    }
                }
                case RedirectPort.OfScheme _ -> redirect.setPortRedirect("https".equals(said.scheme()) ? 443 : 80);
            }
            return redirect.setResponseCode(
                            switch (said.status()) {
                                case 302 -> RedirectAction.RedirectResponseCode.FOUND;
                                case 303 -> RedirectAction.RedirectResponseCode.SEE_OTHER;
                                case 307 -> RedirectAction.RedirectResponseCode.TEMPORARY_REDIRECT;
                                case 308 -> RedirectAction.RedirectResponseCode.PERMANENT_REDIRECT;
                                default -> RedirectAction.RedirectResponseCode.MOVED_PERMANENTLY;
                            })
                    .build();
        }
    }

    /// An answer for every client, which our sidecar tells from an author's by the fact beside it.
    private static void refuse(Route.Builder route, HttpRule rule, int status, String sentence) {
        route.setDirectResponse(respond(status, sentence))
                .setMetadata(Wire.metadata(Map.of("origin", rule.origin().toString(), "leads", "nowhere")));
    }

    private static String undefined(Destination destination) {
        return "no DestinationRule defines subset " + destination.subset() + " of " + destination.host() + ", to which "
                + destination.origin() + " leads";
    }

    private static String nameOf(HttpRule rule, HttpMatch match) {
        if (match.name().isEmpty()) {
            return rule.name();
        }
        return rule.name().isEmpty() ? match.name() : rule.name() + "." + match.name();
    }

    private static DirectResponseAction respond(int status, String body) {
        var response = DirectResponseAction.newBuilder().setStatus(status);
        if (!body.isEmpty()) {
            response.setBody(DataSource.newBuilder().setInlineString(body));
        }
        return response.build();
    }

    private static RetryPolicy retries(int attempts, String conditions) {
        return retries(new Retries.Explicit(attempts, null, List.of(), Set.of(), null, true), conditions);
    }

    private static RetryPolicy retries(Retries.Explicit said, String conditions) {
        var backoff = said.backoff();
        var base = backoff == null ? java.time.Duration.ofMillis(BACKOFF_MILLIS) : backoff;
        var policy = RetryPolicy.newBuilder()
                .setRetryOn(conditions)
                .setNumRetries(UInt32Value.of(said.attempts()))
                .setRetryBackOff(RetryPolicy.RetryBackOff.newBuilder()
                        .setBaseInterval(Wire.duration(base))
                        .setMaxInterval(Wire.duration(base.multipliedBy(10))));
        var perTry = said.perTry();
        if (perTry != null) {
            policy.setPerTryTimeout(Wire.duration(perTry));
        }
        if (said.elsewhere()) {
            policy.setHostSelectionRetryMaxAttempts(5)
                    .addRetryHostPredicate(
                            RetryPolicy.RetryHostPredicate.newBuilder()
                                    .setName("envoy.retry_host_predicates.previous_hosts")
                                    .setTypedConfig(
                                            Any.newBuilder()
                                                    .setTypeUrl(
                                                            "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate")));
        }
        said.statuses().stream().sorted().forEach(policy::addRetriableStatusCodes);
        return policy.build();
    }

    /// A route's match, and what of the path may follow what it names.
    private record Matched(RouteMatch match, Rest rest) {
        Matched with(HeaderMatcher more) {
            return new Matched(match.toBuilder().addHeaders(more).build(), rest);
        }
    }

    /// What may follow the part of a path that a match names, and so what may follow a part put in its place.
    private enum Rest {
        /// The match names the whole path.
        NOTHING,
        /// It names how the path begins.
        ANYTHING,
        /// It ends with a slash, and further segments follow.
        SEGMENTS,
        /// It names the whole path, which has others below it: those are matched with [#SEGMENTS].
        END_OF_SEGMENT;

        String after(String replacement) {
            return switch (this) {
                case NOTHING, ANYTHING -> replacement;
                case SEGMENTS -> replacement.endsWith("/") ? replacement : replacement + "/";
                case END_OF_SEGMENT -> {
                    var trimmed = replacement.endsWith("/")
                            ? replacement.substring(0, replacement.length() - 1)
                            : replacement;
                    yield trimmed.isEmpty() ? "/" : trimmed;
                }
            };
        }
    }

    private static HeaderMatcher idempotentMethod() {
        return HeaderMatcher.newBuilder()
                .setName(":method")
                .setStringMatch(StringMatcher.newBuilder().setSafeRegex(regex(IDEMPOTENT)))
                .build();
    }

    // An empty key tells no two payments apart.
    private static HeaderMatcher idempotencyKey() {
        return HeaderMatcher.newBuilder()
                .setName("idempotency-key")
                .setStringMatch(StringMatcher.newBuilder().setSafeRegex(regex(".+")))
                .build();
    }

    private static RouteMatch everything() {
        return RouteMatch.newBuilder().setPrefix("/").build();
    }

    // A path and what is below it are two matches, because not every client knows one that is both.
    private static List<Matched> matched(HttpMatch said) {
        return switch (said.uri()) {
            case null -> List.of(requestMatch(said, everything(), Rest.ANYTHING));
            case StringMatch.Exact(var path) -> List.of(requestMatch(said, exactly(path), Rest.NOTHING));
            case StringMatch.Prefix(var prefix) ->
                List.of(requestMatch(
                        said, RouteMatch.newBuilder().setPrefix(prefix).build(), Rest.ANYTHING));
            case StringMatch.Under(var path)
            when path.equals("/") -> List.of(requestMatch(said, everything(), Rest.SEGMENTS));
            case StringMatch.Under(var path) ->
                List.of(
                        requestMatch(said, exactly(path), Rest.END_OF_SEGMENT),
                        requestMatch(
                                said,
                                RouteMatch.newBuilder().setPrefix(path + "/").build(),
                                Rest.SEGMENTS));
            case StringMatch.Regex(var regex) ->
                List.of(requestMatch(
                        said, RouteMatch.newBuilder().setSafeRegex(regex(regex)).build(), Rest.ANYTHING));
            case StringMatch.Present _ -> List.of(requestMatch(said, everything(), Rest.ANYTHING));
        };
    }

    private static RouteMatch exactly(String path) {
        return RouteMatch.newBuilder().setPath(path).build();
    }

    private static Matched requestMatch(HttpMatch said, RouteMatch path, Rest rest) {
        var match = path.toBuilder();
        if (said.ignoreUriCase()) {
            match.setCaseSensitive(BoolValue.of(false));
        }
        header(match, ":method", said.method());
        header(match, ":authority", said.authority());
        header(match, ":scheme", said.scheme());
        new TreeMap<>(said.headers()).forEach((name, value) -> match.addHeaders(header(name, value)));
        new TreeMap<>(said.withoutHeaders())
                .forEach((name, value) ->
                        match.addHeaders(header(name, value).toBuilder().setInvertMatch(true)));
        new TreeMap<>(said.queryParams()).forEach((name, value) -> match.addQueryParameters(query(name, value)));
        return new Matched(match.build(), rest);
    }

    private static void header(RouteMatch.Builder match, String name, @Nullable StringMatch value) {
        if (value != null) {
            match.addHeaders(header(name, value));
        }
    }

    private static HeaderMatcher header(String name, StringMatch value) {
        var matcher = HeaderMatcher.newBuilder().setName(name);
        return value instanceof StringMatch.Present
                ? matcher.setPresentMatch(true).build()
                : matcher.setStringMatch(string(value)).build();
    }

    private static QueryParameterMatcher query(String name, StringMatch value) {
        var matcher = QueryParameterMatcher.newBuilder().setName(name);
        return value instanceof StringMatch.Present
                ? matcher.setPresentMatch(true).build()
                : matcher.setStringMatch(string(value)).build();
    }

    private static StringMatcher string(StringMatch value) {
        return switch (value) {
            case StringMatch.Exact(var exact) ->
                StringMatcher.newBuilder().setExact(exact).build();
            case StringMatch.Prefix(var prefix) ->
                StringMatcher.newBuilder().setPrefix(prefix).build();
            case StringMatch.Under(var path) ->
                StringMatcher.newBuilder()
                        .setSafeRegex(regex(path.equals("/") ? "/.*" : Pattern.quote(path) + "(/.*)?"))
                        .build();
            case StringMatch.Regex(var regex) ->
                StringMatcher.newBuilder().setSafeRegex(regex(regex)).build();
            case StringMatch.Present _ ->
                StringMatcher.newBuilder().setPrefix("").build();
        };
    }

    private static RegexMatcher regex(String regex) {
        return RegexMatcher.newBuilder().setRegex(regex).build();
    }

    private interface Adder {
        Object add(Iterable<HeaderValueOption> values);
    }

    private interface Remover {
        Object remove(Iterable<String> names);
    }

    private static void edit(HeaderEdit said, Adder adder, Remover remover) {
        var values = new ArrayList<HeaderValueOption>();
        new TreeMap<>(said.set())
                .forEach((name, value) -> values.add(
                        value(name, value, HeaderValueOption.HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD)));
        new TreeMap<>(said.add())
                .forEach((name, value) ->
                        values.add(value(name, value, HeaderValueOption.HeaderAppendAction.APPEND_IF_EXISTS_OR_ADD)));
        adder.add(values);
        remover.remove(said.remove());
    }

    // A percent sign begins a substitution in xDS; in an author's document it is a percent sign.
    private static HeaderValueOption value(String name, String value, HeaderValueOption.HeaderAppendAction action) {
        return HeaderValueOption.newBuilder()
                .setHeader(HeaderValue.newBuilder().setKey(name).setValue(value.replace("%", "%%")))
                .setAppendAction(action)
                .build();
    }

    private static Optional<HTTPFault> fault(HttpRule rule) {
        var delay = rule.delay();
        var abort = rule.abort();
        if (delay == null && abort == null) {
            return Optional.empty();
        }
        var fault = HTTPFault.newBuilder();
        if (delay != null) {
            fault.setDelay(FaultDelay.newBuilder()
                    .setFixedDelay(Wire.duration(delay.pause()))
                    .setPercentage(fraction(delay.percent())));
        }
        if (abort != null) {
            fault.setAbort(
                    FaultAbort.newBuilder().setHttpStatus(abort.status()).setPercentage(fraction(abort.percent())));
        }
        return Optional.of(fault.build());
    }

    private static FractionalPercent fraction(double percent) {
        return FractionalPercent.newBuilder()
                .setNumerator((int) Math.round(percent * 10_000))
                .setDenominator(FractionalPercent.DenominatorType.MILLION)
                .build();
    }
}
