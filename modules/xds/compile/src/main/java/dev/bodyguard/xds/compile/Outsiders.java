package dev.bodyguard.xds.compile;

import com.google.protobuf.BoolValue;
import dev.bodyguard.model.BackendPolicy;
import dev.bodyguard.model.HttpMatch;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Service;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.config.route.v3.HeaderMatcher;
import io.envoyproxy.envoy.config.route.v3.NonForwardingAction;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/// What clients other than our sidecar see of the mesh as a whole, and how a virtual host reads for them.
final class Outsiders {
    private static final int USUAL_PORT = 80;

    private final Mesh mesh;
    private final VirtualHosts virtualHosts;

    Outsiders(Mesh mesh, VirtualHosts virtualHosts) {
        this.mesh = mesh;
        this.virtualHosts = virtualHosts;
    }

    /// A host and port that can be called, by the host's full name.
    private record Callee(String host, int port) {
        String target() {
            return host + ":" + port;
        }
    }

    private Set<Callee> callees(Proxy proxy) {
        var all = new LinkedHashSet<Callee>();
        for (var service : mesh.services().values()) {
            if (service.visibility().from(proxy.namespace())) {
                service.ports().forEach(port -> all.add(new Callee(service.host(), port.number())));
            }
        }
        for (var routes : mesh.routesInForce()) {
            if (routes.gateways().contains(HttpMatch.MESH)
                    && routes.visibility().from(proxy.namespace())) {
                routes.hosts().stream()
                        .filter(host -> mesh.service(host).isEmpty())
                        .forEach(host -> all.add(new Callee(host, USUAL_PORT)));
            }
        }
        return all;
    }

    private Optional<VirtualHost> virtualHost(Proxy proxy, Callee callee) {
        return virtualHosts.compile(proxy, callee.port() + "/" + callee.host());
    }

    // -- All of it

    List<String> targets(Proxy proxy) {
        return callees(proxy).stream().map(Callee::target).toList();
    }

    /// Those of the services that the client sees, and those that its routes lead to.
    Collection<String> clusters(Proxy proxy) {
        var names = new TreeSet<String>();
        for (var callee : callees(proxy)) {
            if (mesh.service(callee.host()).isPresent()) {
                names.add(new Names.Outbound(callee.port(), "", callee.host()).toString());
                mesh.policy(callee.host()).map(BackendPolicy::subsets).orElse(List.of()).stream()
                        .map(subset -> new Names.Outbound(callee.port(), subset.name(), callee.host()).toString())
                        .forEach(names::add);
            }
            virtualHost(proxy, callee)
                    .ifPresent(host -> host.getRoutesList().forEach(route -> {
                        if (route.getRoute().hasCluster()) {
                            names.add(route.getRoute().getCluster());
                        }
                        route.getRoute()
                                .getWeightedClusters()
                                .getClustersList()
                                .forEach(one -> names.add(one.getName()));
                    }));
        }
        return names;
    }

    // -- Envoy

    /// Every virtual host under every name that the client may write. A domain belongs to one virtual host only: first
    /// come the full names, then the shorter ones.
    RouteConfiguration routes(Proxy proxy, Kind.Envoy envoy, VirtualHost elsewhere) {
        var hosts = new LinkedHashMap<Callee, VirtualHost.Builder>();
        for (var callee : callees(proxy)) {
            virtualHost(proxy, callee)
                    .ifPresent(host -> hosts.put(
                            callee, host.toBuilder().setName(callee.target()).clearDomains()));
        }
        var taken = new HashSet<String>();
        hosts.forEach((callee, host) -> claim(callee, callee.host(), host, taken));
        hosts.forEach((callee, host) -> mesh.service(callee.host()).ifPresent(service -> {
            shorter(service, proxy.namespace()).forEach(name -> claim(callee, name, host, taken));
            service.addresses().forEach(name -> claim(callee, name, host, taken));
            if (!service.external()) {
                host.addRequestHeadersToAdd(told("x-bodyguard-proto", "%PROTOCOL%"))
                        .addRequestHeadersToAdd(told("x-bodyguard-peer", facts(proxy, envoy)));
            }
        }));

        var routes = RouteConfiguration.newBuilder().setName("outbound").setValidateClusters(BoolValue.of(false));
        hosts.values().stream().filter(host -> host.getDomainsCount() > 0).forEach(routes::addVirtualHosts);
        return taken.contains("*")
                ? routes.build()
                : routes.addVirtualHosts(elsewhere).build();
    }

    private static void claim(Callee callee, String name, VirtualHost.Builder host, Set<String> taken) {
        if (callee.port() == USUAL_PORT && taken.add(name)) {
            host.addDomains(name);
        }
        var withPort = name + ":" + callee.port();
        if (!name.equals("*") && taken.add(withPort)) {
            host.addDomains(withPort);
        }
    }

    private static List<String> shorter(Service service, String namespace) {
        var name = service.name() + "." + service.namespace();
        if (!service.host().equals(Service.host(service.name(), service.namespace()))) {
            return List.of();
        }
        return service.namespace().equals(namespace)
                ? List.of(name + ".svc", name, service.name())
                : List.of(name + ".svc", name);
    }

    // What our sidecars tell each other; believed from members of the mesh only.
    private static HeaderValueOption told(String name, String value) {
        return HeaderValueOption.newBuilder()
                .setHeader(HeaderValue.newBuilder().setKey(name).setValue(value))
                .setAppendAction(HeaderValueOption.HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD)
                .build();
    }

    private static String facts(Proxy proxy, Kind.Envoy envoy) {
        var facts = new LinkedHashMap<String, String>();
        facts.put("workload", envoy.workload());
        facts.put("namespace", proxy.namespace());
        facts.put("app", proxy.labels().getOrDefault("app", proxy.service()));
        facts.put("version", proxy.labels().getOrDefault("version", ""));
        facts.put("service", proxy.service());
        var text = new ArrayList<String>();
        // A semicolon parts them, and a percent sign begins a substitution.
        facts.forEach((key, value) ->
                text.add(key + "=" + value.replaceAll("[;\r\n]", "_").replace("%", "%%")));
        return String.join(";", text);
    }

    // -- gRPC

    /// @param name what follows `xds:///`
    Optional<VirtualHost> target(Proxy proxy, String name) {
        int colon = name.lastIndexOf(':');
        var port = colon < 0 ? Optional.of(USUAL_PORT) : Names.port(name.substring(colon + 1));
        return port.flatMap(number -> virtualHosts.compile(proxy, number + "/" + name))
                .map(host -> forGrpc(host, name));
    }

    // gRPC refuses a listener with a kind of route that it does not know, and cannot ask for pseudo-headers.
    private static VirtualHost forGrpc(VirtualHost host, String authority) {
        var known = Map.of(":method", "POST", ":scheme", "http", ":authority", authority);
        var routes = host.toBuilder().clearRoutes();
        for (var route : host.getRoutesList()) {
            if (route.getMatch().getHeadersList().stream()
                    .allMatch(header ->
                            !known.containsKey(header.getName()) || matches(header, known.get(header.getName())))) {
                routes.addRoutes(forGrpc(route, known.keySet()));
            }
        }
        return routes.build();
    }

    private static Route forGrpc(Route route, Set<String> known) {
        var match = route.getMatch().toBuilder().clearHeaders();
        route.getMatch().getHeadersList().stream()
                .filter(header -> !known.contains(header.getName()))
                .forEach(match::addHeaders);
        if (match.getPathSpecifierCase() == RouteMatch.PathSpecifierCase.PATH_SEPARATED_PREFIX) {
            match.setPrefix(match.getPathSeparatedPrefix() + "/");
        }
        var kept = route.toBuilder().setMatch(match);
        if (!route.hasRoute()) {
            return kept.setNonForwardingAction(NonForwardingAction.getDefaultInstance())
                    .build();
        }
        var timeout = route.getRoute().getTimeout();
        if (timeout.getSeconds() > 0 || timeout.getNanos() > 0) {
            kept.getRouteBuilder()
                    .setMaxStreamDuration(RouteAction.MaxStreamDuration.newBuilder()
                            .setMaxStreamDuration(timeout)
                            .setGrpcTimeoutHeaderMax(timeout));
        }
        return kept.build();
    }

    private static boolean matches(HeaderMatcher header, String value) {
        var found = switch (header.getHeaderMatchSpecifierCase()) {
            case STRING_MATCH -> matches(header.getStringMatch(), value);
            case PRESENT_MATCH -> header.getPresentMatch();
            default -> true;
        };
        return found != header.getInvertMatch();
    }

    private static boolean matches(StringMatcher matcher, String value) {
        return switch (matcher.getMatchPatternCase()) {
            case EXACT -> value.equals(matcher.getExact());
            case PREFIX -> value.startsWith(matcher.getPrefix());
            case SAFE_REGEX -> {
                try {
                    yield Pattern.matches(matcher.getSafeRegex().getRegex(), value);
                } catch (PatternSyntaxException ofAnotherDialect) {
                    yield false;
                }
            }
            default -> true;
        };
    }
}
