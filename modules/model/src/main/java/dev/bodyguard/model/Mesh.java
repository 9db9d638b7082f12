package dev.bodyguard.model;

import dev.bodyguard.model.BackendPolicy.TrafficPolicy;
import dev.bodyguard.model.HttpRule.Destination;
import dev.bodyguard.model.Service.Backing;
import dev.bodyguard.model.Service.Target;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// All that is known of a mesh at one moment: merged, indexed, immutable.
///
/// The order of its parts does not matter: of two that say different things about one host, the one whose language
/// ranks higher wins, then the older; of two of the same age the one that comes first by namespace and name, without an
/// age by file and line before that. [#problems] names the losers.
public final class Mesh {
    /// The end of every name that the mesh itself gives to a service.
    public static final String SERVICE_SUFFIX = ".svc.cluster.local";

    private static final String CLUSTER_DOMAIN = ".cluster.local";

    /// How a problem begins that names who won a host.
    static final String NOT_IN_FORCE = "not in force for host ";

    /// Policies that stand here hold for every namespace that has none of its own.
    public static final String ROOT_NAMESPACE = "bodyguard-system";

    /// [#ROOT_NAMESPACE], and the one that documents written for Istio take for it.
    private static final Set<String> ROOT_NAMESPACES = Set.of(ROOT_NAMESPACE, "istio-system");

    /// Those of a name that has no document of its own.
    private static final List<Service.Port> REGISTERED_PORTS =
            List.of(new Service.Port(80, "http", Service.Protocol.DETECTED, new Target.Implied()));

    private final List<Part> parts;
    private final SortedMap<String, Service> services;
    private final ByHost<Service> servicesByHost;
    private final Map<String, Service> servicesByAddress;
    private final List<Workload> workloads;
    private final Map<String, List<Workload>> workloadsByNamespace;
    private final List<HttpRoutes> routes;
    private final RouteTable routeTable;
    private final List<BackendPolicy> authoredPolicies;
    private final ByHost<BackendPolicy> policies;
    private final List<OutboundPolicy> outboundPolicies;
    private final List<Ingress> ingresses;
    private final List<AuthorizationPolicy> authorizationPolicies;
    private final PeerAuthentications peerAuthentications;
    private final List<RateLimit> rateLimits;
    private final List<Server> servers;
    private final List<ServiceAccount> serviceAccounts;
    private final Map<String, ServiceAccount> accountsByHost;
    private final List<Problem> problems;

    private Mesh(Collection<? extends Part> given) {
        var found = new ArrayList<Problem>();
        parts = given.stream().sorted(Comparator.comparing(Mesh::age)).collect(Collectors.<Part>toUnmodifiableList());
        workloads = some(parts, Workload.class);
        workloadsByNamespace = byNamespace(workloads);
        services = mergedServices(some(parts, Service.class), workloads, found);
        servicesByHost = new ByHost<>(services);
        servicesByAddress = byAddress(services.values());
        authoredPolicies = some(parts, BackendPolicy.class);
        policies = mergedPolicies(authoredPolicies, found);
        routes = some(parts, HttpRoutes.class);
        routeTable = new RouteTable(routes, found);
        outboundPolicies = some(parts, OutboundPolicy.class);
        ingresses = some(parts, Ingress.class);
        authorizationPolicies = some(parts, AuthorizationPolicy.class);
        peerAuthentications = new PeerAuthentications(some(parts, PeerAuthentication.class));
        peerAuthentications.problems(workloads).forEach(found::add);
        rateLimits = some(parts, RateLimit.class);
        servers = some(parts, Server.class);
        serviceAccounts = some(parts, ServiceAccount.class);
        accountsByHost = byHost(serviceAccounts);
        routesToNowhere(found);
        problems = List.copyOf(found);
    }

    /// The mesh that these parts make.
    public static Mesh of(Collection<? extends Part> parts) {
        return new Mesh(parts);
    }

    /// All that it was made of, the oldest first.
    public List<Part> parts() {
        return parts;
    }

    /// What is wrong between documents that are right each for itself: hosts claimed twice, subsets that nobody
    /// defines, ports that a service has not.
    public List<Problem> problems() {
        return problems;
    }

    /// Those of [#problems] that say who speaks in a document's place.
    public List<Problem> overridden() {
        return problems.stream()
                .filter(problem -> problem.message().startsWith(NOT_IN_FORCE))
                .toList();
    }

    /// Every service, by full name, those without a document included.
    public SortedMap<String, Service> services() {
        return services;
    }

    /// Every workload that registered or that a document names on its own.
    public List<Workload> workloads() {
        return workloads;
    }

    /// Every author's routes, those that lost a host included.
    public List<HttpRoutes> routes() {
        return routes;
    }

    /// Every author's backend policy.
    public List<BackendPolicy> policies() {
        return authoredPolicies;
    }

    /// Every service account that a document names.
    public List<ServiceAccount> serviceAccounts() {
        return serviceAccounts;
    }

    /// The service of exactly this full name (or wildcard).
    public Optional<Service> service(String host) {
        return Optional.ofNullable(services.get(host));
    }

    /// Where a rule leads that names exactly this full name: the service; or, as long as no workload has registered for
    /// a name that documents speak of (routes for it, backend policy, a service account), one without anybody.
    public Optional<Service> destination(String host) {
        return service(host).or(() -> awaited(host));
    }

    private Optional<Service> awaited(String host) {
        if (!host.endsWith(SERVICE_SUFFIX)) {
            return Optional.empty();
        }
        var words = host.substring(0, host.length() - SERVICE_SUFFIX.length()).split("\\.", -1);
        return words.length == 2
                ? speaking(host).map(origin -> registered(words[0], words[1], origin))
                : Optional.empty();
    }

    /// Who speaks of a host by its full name.
    private Optional<Origin> speaking(String host) {
        return routeTable
                .of(host)
                .map(HttpRoutes::origin)
                .or(() -> policy(host).filter(one -> one.host().equals(host)).map(BackendPolicy::origin))
                .or(() -> Optional.ofNullable(accountsByHost.get(host)).map(ServiceAccount::origin));
    }

    /// What a client in a namespace means by an authority: a short or longer name, or an address, with or without port.
    public Optional<Service> resolve(String authority, String namespace) {
        var host = hostOf(authority);
        var byAddress = servicesByAddress.get(host);
        if (byAddress != null && byAddress.visibility().from(namespace)) {
            return Optional.of(byAddress);
        }
        return names(host, namespace).stream()
                .flatMap(name -> servicesByHost.find(name).stream())
                .filter(service -> service.visibility().from(namespace))
                .findFirst();
    }

    /// The full name that a client in a namespace means by an authority, if the mesh knows it, be it only from routes.
    public Optional<String> known(String authority, String namespace) {
        var host = hostOf(authority);
        return resolve(host, namespace)
                .map(service -> service.host().startsWith("*") ? host : service.host())
                .or(() -> names(host, namespace).stream()
                        .filter(name -> routeTable.knows(name, namespace))
                        .findFirst());
    }

    /// The routes in force for a port of a full host name, seen from a sidecar in a namespace.
    public Optional<HttpRoutes> routes(String host, String namespace, int port) {
        var name = service(host).flatMap(service -> service.port(port)).map(Service.Port::name);
        return routeTable.find(host, namespace, port, name.orElse(""));
    }

    /// All routes that are in force for somebody.
    public List<HttpRoutes> routesInForce() {
        return routeTable.inForce();
    }

    /// The backend policy for a full host name.
    public Optional<BackendPolicy> policy(String host) {
        return policies.find(host);
    }

    /// What becomes of unknown hosts for a workload, if any document says so.
    public Optional<OutboundPolicy> outboundPolicy(String namespace, Map<String, String> labels) {
        return outbound(namespace, labels).or(() -> outbound(ROOT_NAMESPACE, labels));
    }

    private Optional<OutboundPolicy> outbound(String namespace, Map<String, String> labels) {
        return outboundPolicies.stream()
                .filter(policy -> policy.namespace().equals(namespace))
                .filter(policy ->
                        labels.entrySet().containsAll(policy.selector().entrySet()))
                .max(Comparator.comparing(policy -> !policy.selector().isEmpty()));
    }

    /// The policies that say who may ask a workload for what, on a port of its application.
    ///
    /// @param service the short name that the workload registered for, empty where it did not
    public List<AuthorizationPolicy> authorizationPolicies(
            String namespace, String service, Map<String, String> labels, int port) {
        var carried = withApp(service, labels);
        return authorizationPolicies.stream()
                .filter(policy -> isAbout(policy.target(), namespace, service, carried, port))
                .toList();
    }

    /// What a workload asks of its callers on a port of its application; empty where no document says.
    ///
    /// @param service the short name that the workload registered for, empty where it did not
    public Optional<PeerAuthentication.Mode> peerMode(
            String namespace, String service, Map<String, String> labels, int port) {
        return peerAuthentications.mode(namespace, withApp(service, labels), port);
    }

    /// What a workload's ports mean to whoever calls them, where a document says; one that selects workloads goes
    /// before one that is about all of them, then the first.
    ///
    /// @param service the short name that the workload registered for, empty where it did not
    public SortedMap<Integer, Ingress> ingress(String namespace, String service, Map<String, String> labels) {
        var carried = withApp(service, labels);
        var byPort = new TreeMap<Integer, Ingress>();
        ingresses.stream()
                .filter(ingress -> ingress.namespace().equals(namespace)
                        && carried.entrySet().containsAll(ingress.selector().entrySet()))
                .sorted(Comparator.comparing(ingress -> ingress.selector().isEmpty()))
                .forEach(ingress -> byPort.putIfAbsent(ingress.port(), ingress));
        return byPort;
    }

    /// The port of a workload's application that services mean which select it and have a port of this number.
    ///
    /// @param service the short name that the workload registered for, empty where it did not
    public Optional<Integer> portBehind(String namespace, String service, Map<String, String> labels, int number) {
        var carried = withApp(service, labels);
        return selecting(namespace, carried)
                .flatMap(known -> known.port(number).stream()
                        .flatMap(port -> numbered(port).or(() -> eachOwn(known, port)).stream()))
                .findFirst();
    }

    /// Whether authors say of a port of a workload's application that it speaks HTTP without TLS, and none says
    /// otherwise.
    ///
    /// @param service the short name that the workload registered for, empty where it did not
    public boolean isPlainHttp(String namespace, String service, Map<String, String> labels, int port) {
        var carried = withApp(service, labels);
        var said = services.values().stream()
                .filter(known -> known.namespace().equals(namespace) && stands(known, service, carried))
                .flatMap(known -> known.ports().stream()
                        .filter(one ->
                                numbered(one).filter(number -> number == port).isPresent()
                                        || instances(known, one, Map.of()).stream()
                                                .anyMatch(instance -> instance.appPort() == port))
                        .map(Service.Port::protocol))
                .toList();
        return said.stream().anyMatch(Mesh::isHttp)
                && said.stream().allMatch(one -> isHttp(one) || one == Service.Protocol.DETECTED);
    }

    private static boolean isHttp(Service.Protocol protocol) {
        return protocol == Service.Protocol.HTTP || protocol.http2();
    }

    private static boolean stands(Service behind, String service, Map<String, String> carried) {
        return switch (behind.backing()) {
            case Backing.Registered _ -> behind.name().equals(service);
            case Backing.Selected selected ->
                carried.entrySet().containsAll(selected.labels().entrySet());
            case Backing.Listed _, Backing.Resolved _, Backing.OriginalDestination _ -> false;
        };
    }

    /// Where it is a name, each workload's own.
    private Optional<Integer> eachOwn(Service service, Service.Port port) {
        return instances(service, port, Map.of()).stream().findFirst().map(Instance::appPort);
    }

    private Stream<Service> selecting(String namespace, Map<String, String> carried) {
        return services.values().stream()
                .filter(known -> known.namespace().equals(namespace)
                        && known.backing() instanceof Backing.Selected selected
                        && carried.entrySet().containsAll(selected.labels().entrySet()));
    }

    /// Ports of a workload's application of which documents speak, whether it declares them or not: where services lead
    /// that select it, and what policies tell apart.
    ///
    /// @param service the short name that the workload registered for, empty where it did not
    public SortedSet<Integer> portsSpokenOf(String namespace, String service, Map<String, String> labels) {
        var carried = withApp(service, labels);
        var ports = new TreeSet<Integer>();
        selecting(namespace, carried)
                .flatMap(known -> known.ports().stream())
                .forEach(port -> numbered(port).ifPresent(ports::add));
        peerAuthentications
                .of(namespace, carried)
                .ifPresent(own -> ports.addAll(own.ports().keySet()));
        servers.stream()
                .filter(server -> server.namespace().equals(namespace) && server.port() != 0)
                .filter(server ->
                        carried.entrySet().containsAll(server.selector().entrySet()))
                .forEach(server -> ports.add(server.port()));
        return ports;
    }

    private static Optional<Integer> numbered(Service.Port port) {
        if (port.target() instanceof Target.Exactly(int number)) {
            return Optional.of(number);
        }
        return port.target() instanceof Target.Implied ? Optional.of(port.number()) : Optional.empty();
    }

    /// The limits on what a workload takes on, on a port of its application.
    ///
    /// @param service the short name that the workload registered for, empty where it did not
    public List<RateLimit> rateLimits(String namespace, String service, Map<String, String> labels, int port) {
        var carried = withApp(service, labels);
        return rateLimits.stream()
                .filter(limit -> isAbout(limit.target(), namespace, service, carried, port))
                .toList();
    }

    private boolean isAbout(
            PolicyTarget target, String namespace, String service, Map<String, String> labels, int port) {
        boolean same = target.namespace().equals(namespace);
        return switch (target) {
            case PolicyTarget.Labelled(var where, var wanted, var _) ->
                (same || isRoot(where)) && labels.entrySet().containsAll(wanted.entrySet());
            case PolicyTarget.Services(var _, var names) ->
                same && names.keySet().stream().anyMatch(name -> stands(name, namespace, service, labels));
            case PolicyTarget.OfServer(var _, var name, var _) ->
                same
                        && servers.stream()
                                .anyMatch(server -> server.namespace().equals(namespace)
                                        && server.name().equals(name)
                                        && (server.port() == 0 || server.port() == port)
                                        && labels.entrySet()
                                                .containsAll(server.selector().entrySet()));
        };
    }

    private boolean stands(String behind, String namespace, String service, Map<String, String> labels) {
        var known = services.get(Service.host(behind, namespace));
        return behind.equals(service)
                || (known != null
                        && known.backing() instanceof Backing.Selected(var selector, var _)
                        && labels.entrySet().containsAll(selector.entrySet()));
    }

    // As a registered workload carries it.
    private static Map<String, String> withApp(String service, Map<String, String> labels) {
        if (service.isEmpty() || labels.containsKey("app")) {
            return labels;
        }
        var all = new HashMap<>(labels);
        all.put("app", service);
        return all;
    }

    /// Who stands behind a service's port and carries these labels, by name.
    public List<Instance> instances(Service service, Service.Port port, Map<String, String> labels) {
        return backers(service).stream()
                .filter(workload -> workload.carries(labels))
                .flatMap(workload ->
                        dialled(workload, port).stream().map(dial -> new Instance(workload, workload.address(), dial)))
                .sorted(Comparator.comparing(Instance::address)
                        .thenComparing(instance -> instance.workload().name()))
                .toList();
    }

    private List<Workload> backers(Service service) {
        var neighbours = workloadsByNamespace.getOrDefault(service.namespace(), List.of());
        return switch (service.backing()) {
            case Backing.Registered _ ->
                neighbours.stream()
                        .filter(workload -> workload.service().equals(service.name()))
                        .toList();
            case Backing.Selected(var labels, var unreadyToo) ->
                neighbours.stream()
                        .filter(workload -> workload.ready() || unreadyToo)
                        .filter(workload -> workload.carries(labels))
                        .toList();
            case Backing.Listed(var listed) -> listed;
            case Backing.Resolved(var listed) -> listed;
            case Backing.OriginalDestination _ -> List.of();
        };
    }

    private static Optional<Integer> dialled(Workload workload, Service.Port port) {
        var named = workload.namedPorts().get(port.name());
        if (named != null) {
            return Optional.of(named);
        }
        var ports = workload.ports();
        return switch (port.target()) {
            case Target.Exactly(int number) ->
                Optional.ofNullable(ports.isEmpty() ? Integer.valueOf(number) : ports.get(number));
            case Target.Named(var name) -> {
                var number = workload.containerPorts().get(name);
                yield number != null || ports.isEmpty() ? Optional.ofNullable(number) : implied(ports, port.number());
            }
            case Target.Implied _ -> ports.isEmpty() ? Optional.of(port.number()) : implied(ports, port.number());
        };
    }

    private static Optional<Integer> implied(Map<Integer, Integer> ports, int number) {
        var same = ports.get(number);
        if (same != null) {
            return Optional.of(same);
        }
        return ports.size() == 1 ? Optional.of(ports.values().iterator().next()) : Optional.empty();
    }

    /// A workload behind a service's port, and where to dial it.
    public record Instance(Workload workload, String address, int port) {
        /// The port of its application that is reached so.
        public int appPort() {
            return workload.ports().entrySet().stream()
                    .filter(one -> one.getValue() == port)
                    .map(Map.Entry::getKey)
                    .findFirst()
                    .orElse(port);
        }
    }

    // What an application writes as the host: `a`, `a.ns`, `a.ns.svc` and the full name all mean the same.
    private static List<String> names(String host, String namespace) {
        var names = new ArrayList<String>();
        names.add(host);
        if (host.indexOf('.') < 0) {
            names.add(Service.host(host, namespace));
        } else if (host.endsWith(".svc")) {
            names.add(host + CLUSTER_DOMAIN);
        } else {
            names.add(host + SERVICE_SUFFIX);
        }
        return names;
    }

    /// Whether policies that stand in a namespace are about every other too.
    public static boolean isRoot(String namespace) {
        return ROOT_NAMESPACES.contains(namespace);
    }

    /// An authority's host, lower case, without port, user or final dot.
    public static String hostOf(String authority) {
        var host = authority.toLowerCase(Locale.ROOT);
        if (host.startsWith("[")) {
            int end = host.indexOf(']');
            return end < 0 ? host : host.substring(1, end);
        }
        int colon = host.indexOf(':');
        if (colon >= 0 && colon == host.lastIndexOf(':')) {
            host = host.substring(0, colon);
        }
        return host.endsWith(".") ? host.substring(0, host.length() - 1) : host;
    }

    private static <P extends Part> List<P> some(List<? extends Part> parts, Class<P> kind) {
        return parts.stream().filter(kind::isInstance).map(kind::cast).toList();
    }

    private static Age age(Part part) {
        return switch (part) {
            case HttpRoutes routes -> Age.of(routes.created(), part.origin());
            case BackendPolicy policy -> Age.of(policy.created(), part.origin());
            case PeerAuthentication policy -> Age.of(policy.created(), part.origin());
            case Service _,
                    Workload _,
                    OutboundPolicy _,
                    Ingress _,
                    AuthorizationPolicy _,
                    RateLimit _,
                    Server _,
                    ServiceAccount _ -> Age.of(null, part.origin());
        };
    }

    /// What decides which of two parts came first.
    private record Age(long created, String file, int line, String name) implements Comparable<Age> {
        static Age of(@Nullable Instant created, Origin origin) {
            // Where an API server's object is kept is a remark of its author's, and not what makes it older.
            var at = created == null ? origin.at() : null;
            return new Age(
                    created == null ? Long.MIN_VALUE : created.toEpochMilli(),
                    at == null ? "" : at.file(),
                    at == null ? 0 : at.line(),
                    origin.namespace() + "/" + origin.name() + "/" + origin.field());
        }

        @Override
        public int compareTo(Age other) {
            return Comparator.comparingLong(Age::created)
                    .thenComparing(Age::file)
                    .thenComparingInt(Age::line)
                    .thenComparing(Age::name)
                    .compare(this, other);
        }
    }

    private static Map<String, List<Workload>> byNamespace(List<Workload> workloads) {
        var map = new HashMap<String, List<Workload>>();
        for (var workload : workloads) {
            map.computeIfAbsent(workload.namespace(), _ -> new ArrayList<>()).add(workload);
        }
        return map;
    }

    private static Map<String, Service> byAddress(Collection<Service> services) {
        var map = new HashMap<String, Service>();
        for (var service : services) {
            service.addresses().forEach(address -> map.putIfAbsent(address, service));
        }
        return map;
    }

    private static Map<String, ServiceAccount> byHost(List<ServiceAccount> accounts) {
        var map = new HashMap<String, ServiceAccount>();
        accounts.forEach(account -> map.putIfAbsent(Service.host(account.name(), account.namespace()), account));
        return map;
    }

    private static SortedMap<String, Service> mergedServices(
            List<Service> documented, List<Workload> workloads, List<Problem> problems) {
        var map = new TreeMap<String, Service>();
        for (var service : documented) {
            var first = map.putIfAbsent(service.host(), service);
            if (first != null) {
                problems.add(lost(service.origin(), service.host(), first.origin()));
            }
        }
        for (var workload : workloads) {
            if (!workload.service().isEmpty()) {
                var host = Service.host(workload.service(), workload.namespace());
                map.computeIfAbsent(
                        host,
                        _ -> registered(
                                workload.service(),
                                workload.namespace(),
                                new Origin("Registration", workload.namespace(), workload.service(), "", null)));
            }
        }
        return Collections.unmodifiableSortedMap(map);
    }

    // A name that has no document of its own, only workloads that register for it: port 80 to the application's port.
    private static Service registered(String name, String namespace, Origin origin) {
        return new Service(
                Service.host(name, namespace),
                namespace,
                name,
                REGISTERED_PORTS,
                List.of(),
                new Backing.Registered(),
                false,
                List.of(),
                Visibility.EVERYWHERE,
                origin);
    }

    private static ByHost<BackendPolicy> mergedPolicies(List<BackendPolicy> all, List<Problem> problems) {
        var map = new TreeMap<String, BackendPolicy>();
        for (var policy : all) {
            var first = map.get(policy.host());
            map.put(policy.host(), first == null ? policy : merged(first, policy, problems));
        }
        return new ByHost<>(map);
    }

    private static BackendPolicy merged(BackendPolicy first, BackendPolicy second, List<Problem> problems) {
        var policy = first.policy();
        if (policy.equals(TrafficPolicy.UNSAID)) {
            policy = second.policy();
        } else if (!second.policy().equals(TrafficPolicy.UNSAID)) {
            problems.add(new Problem(
                    Problem.Severity.WARNING,
                    second.origin(),
                    "its trafficPolicy is not in force: " + first.origin() + " already has one for " + first.host()
                            + "; keep one of the two"));
        }
        var subsets = new ArrayList<>(first.subsets());
        for (var subset : second.subsets()) {
            var same = first.subset(subset.name());
            if (same.isEmpty()) {
                subsets.add(subset);
            } else {
                problems.add(new Problem(
                        Problem.Severity.WARNING,
                        subset.origin(),
                        "subset " + subset.name() + " is not in force: "
                                + same.get().origin() + " already defines it for " + first.host()
                                + "; rename or remove one"));
            }
        }
        return new BackendPolicy(first.host(), policy, subsets, first.created(), first.origin(), first.hostAt());
    }

    static Problem lost(Origin loser, String host, Origin winner) {
        return new Problem(
                Problem.Severity.WARNING,
                loser,
                NOT_IN_FORCE + host + ": " + winner
                        + " came first and speaks for it; put the rules into one document or remove one of the two");
    }

    // Only what a service has: services themselves come and go with their workloads, so time tells whether one is
    // missing.
    private void routesToNowhere(List<Problem> problems) {
        var reported = new LinkedHashSet<Problem>();
        for (var one : routes) {
            for (var destination : one.destinations()) {
                if (!defined(destination)) {
                    reported.add(new Problem(
                            Problem.Severity.WARNING,
                            destination.origin(),
                            "no DestinationRule defines subset " + destination.subset() + " of "
                                    + destination.host() + "; requests routed there get a 503."
                                    + subsetsThatExist(destination)));
                }
                if (services.containsKey(destination.host()) && !reaches(destination.host(), destination.port())) {
                    reported.add(new Problem(
                            Problem.Severity.WARNING,
                            destination.portPlace(),
                            destination.host() + " has no port " + destination.port() + ", only "
                                    + ports(destination.host()) + "; requests routed there get a 503"));
                }
            }
        }
        problems.addAll(reported);
    }

    /// Where rules lead to, each place once.
    public Set<Destination> destinations() {
        var all = new LinkedHashSet<Destination>();
        routes.forEach(one -> all.addAll(one.destinations()));
        return all;
    }

    /// Every full name (or wildcard) that somebody has: services, of a document or registered, and accounts that
    /// workloads are to run under, whether one has joined by them yet or not.
    public Set<String> names() {
        var names = new TreeSet<>(services.keySet());
        names.addAll(accountsByHost.keySet());
        return names;
    }

    /// Whether the subset that a destination names is defined; true where it names none.
    public boolean defined(Destination destination) {
        return destination.subset().isEmpty() || defined(destination.host(), destination.subset());
    }

    /// Whether a backend policy for a full host name defines a subset.
    public boolean defined(String host, String subset) {
        return policy(host).flatMap(policy -> policy.subset(subset)).isPresent();
    }

    private String subsetsThatExist(Destination destination) {
        var names = subsets(destination.host());
        return names.isEmpty() ? " Define it under spec.subsets of one" : " Defined are " + String.join(", ", names);
    }

    /// Whether a rule that leads to this full host name reaches a port there: where no service has the name yet, one
    /// that workloads register for would.
    ///
    /// @param number 0 where the rule names none
    public boolean reaches(String host, int number) {
        return number == 0
                || ownPorts(host).isEmpty()
                || ownPorts(host).stream().anyMatch(port -> port.number() == number);
    }

    /// The ports of a full host name, as a sentence names them.
    public String ports(String host) {
        return ownPorts(host).stream()
                .map(port -> Integer.toString(port.number()))
                .collect(Collectors.joining(", "));
    }

    private List<Service.Port> ownPorts(String host) {
        return service(host).map(Service::ports).orElse(host.endsWith(SERVICE_SUFFIX) ? REGISTERED_PORTS : List.of());
    }

    /// The subsets of a full host name that are defined, in their authors' order.
    public List<String> subsets(String host) {
        return policy(host).stream()
                .flatMap(policy -> policy.subsets().stream())
                .map(BackendPolicy.Subset::name)
                .toList();
    }
}
