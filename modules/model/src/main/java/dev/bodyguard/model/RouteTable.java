package dev.bodyguard.model;

import dev.bodyguard.model.HttpRoutes.OnPort;
import dev.bodyguard.model.HttpRoutes.Rank;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/// Whose routes hold for a host: the language that ranks highest speaks, and within one language its first document, or
/// all of them together.
final class RouteTable {
    private static final int SOME_OTHER_PORT = -1;

    private final TreeMap<String, List<HttpRoutes>> all = new TreeMap<>();
    private final ByHost<List<HttpRoutes>> byHost;

    /// @param byAge the oldest first
    /// @param problems told who lost, and to whom
    RouteTable(List<HttpRoutes> byAge, List<Problem> problems) {
        for (var routes : byAge) {
            if (routes.gateways().contains(HttpMatch.MESH)) {
                routes.hosts()
                        .forEach(host -> all.computeIfAbsent(host, _ -> new ArrayList<>())
                                .add(routes));
            }
        }
        all.values().forEach(routes -> routes.sort(Comparator.comparing(HttpRoutes::rank)));
        byHost = new ByHost<>(all);
        all.forEach((host, routes) -> nameLosers(host, routes, problems));
    }

    /// What holds for a port of a host, seen from a namespace.
    Optional<HttpRoutes> find(String host, String namespace, int port, String portName) {
        HttpRoutes annotations = null;
        for (var ranked : byHost.all(host)) {
            var heard = heard(ranked, namespace, port, portName);
            var speaking = speaking(heard);
            if (annotations == null && speaking.size() < heard.size()) {
                annotations = heard.getLast();
            }
            // A Service's own name is the nearest, but its annotations complete whoever speaks for it, a wildcard too.
            if (!speaking.isEmpty()) {
                var spoken = highest(speaking);
                return Optional.of(annotations == null ? spoken : supplemented(spoken, annotations));
            }
        }
        return Optional.ofNullable(annotations);
    }

    private static List<HttpRoutes> heard(List<HttpRoutes> ranked, String namespace, int port, String portName) {
        return ranked.stream()
                .filter(routes -> routes.visibility().from(namespace))
                .filter(routes -> routes.port().includes(port, portName))
                .toList();
    }

    /// All but annotations, which only complete what others say.
    private static List<HttpRoutes> speaking(List<HttpRoutes> heard) {
        return heard.stream().filter(routes -> routes.rank() != Rank.SERVICE).toList();
    }

    /// Whether anything is said of any port of a host.
    boolean knows(String host, String namespace) {
        return byHost.all(host).stream()
                .flatMap(List::stream)
                .anyMatch(routes -> routes.visibility().from(namespace));
    }

    /// Somebody's routes that name exactly this host.
    Optional<HttpRoutes> of(String host) {
        return Optional.ofNullable(all.get(host)).map(List::getFirst);
    }

    /// Whatever holds for somebody.
    List<HttpRoutes> inForce() {
        var inForce = new LinkedHashSet<HttpRoutes>();
        all.forEach((host, routes) -> fromEverywhere(
                routes,
                (namespace, port) ->
                        find(host, namespace, port.number(), port.name()).ifPresent(inForce::add)));
        return List.copyOf(inForce);
    }

    /// From each namespace and for each port that any of the routes name, and from and for some other one.
    private static void fromEverywhere(List<HttpRoutes> routes, BiConsumer<String, OnPort> asking) {
        var namespaces = new LinkedHashSet<>(List.of(Visibility.EVERY));
        var ports = new LinkedHashSet<>(List.of(new OnPort(SOME_OTHER_PORT, "")));
        for (var one : routes) {
            namespaces.addAll(one.visibility().namespaces());
            ports.add(one.port());
        }
        namespaces.forEach(namespace -> ports.forEach(port -> asking.accept(namespace, port)));
    }

    private static HttpRoutes supplemented(HttpRoutes spoken, HttpRoutes annotations) {
        if (spoken.rank() == Rank.SERVICE_PROFILE) {
            return spoken;
        }
        var said = annotations.rules().getFirst();
        var rules = spoken.rules().stream()
                .map(rule -> rule.action() instanceof HttpRule.Action.Forward
                        ? rule.tried(
                                rule.timeout() == null ? said.timeout() : rule.timeout(),
                                saysOfRetries(spoken, rule) || said.retries() instanceof HttpRule.Retries.Unsaid
                                        ? rule.retries()
                                        : said.retries())
                        : rule)
                .toList();
        return with(spoken, rules);
    }

    /// A split repeats nothing, without a word on it.
    private static boolean saysOfRetries(HttpRoutes routes, HttpRule rule) {
        return routes.rank() != Rank.TRAFFIC_SPLIT && !(rule.retries() instanceof HttpRule.Retries.Unsaid);
    }

    /// @param speaking by rank, then age; at least one
    private static HttpRoutes highest(List<HttpRoutes> speaking) {
        var voices = voices(speaking);
        var first = voices.getFirst();
        return switch (first.rank()) {
            case GRPC_ROUTE, HTTP_ROUTE -> together(voices);
            case VIRTUAL_SERVICE, TRAFFIC_SPLIT, SERVICE -> first;
            case SERVICE_PROFILE ->
                speaking.stream()
                        .filter(routes -> routes.rank() == Rank.TRAFFIC_SPLIT && first.undivided())
                        .findFirst()
                        .map(split -> divided(first, split))
                        .orElse(first);
        };
    }

    /// Those whose rules decide about retries and timeouts.
    private static List<HttpRoutes> voices(List<HttpRoutes> speaking) {
        var rank = speaking.getFirst().rank();
        var same = speaking.stream().filter(routes -> routes.rank() == rank).toList();
        return switch (rank) {
            case GRPC_ROUTE, HTTP_ROUTE -> nearest(same);
            case VIRTUAL_SERVICE, TRAFFIC_SPLIT, SERVICE -> List.of(same.getFirst());
            case SERVICE_PROFILE -> List.of(nearest(same).getFirst());
        };
    }

    // What the client's own namespace says of somebody else's service goes before what the service's namespace says.
    private static List<HttpRoutes> nearest(List<HttpRoutes> same) {
        var own = same.stream()
                .filter(routes -> !routes.visibility().equals(Visibility.EVERYWHERE))
                .toList();
        return own.isEmpty() ? same : own;
    }

    private static HttpRoutes divided(HttpRoutes profile, HttpRoutes split) {
        var everything = split.rules().getFirst().action();
        var rules = profile.rules().stream()
                .map(rule -> rule.action() instanceof HttpRule.Action.Forward ? rule.leadingTo(everything) : rule)
                .toList();
        return with(profile, rules);
    }

    private static HttpRoutes with(HttpRoutes routes, List<HttpRule> rules) {
        return new HttpRoutes(
                routes.rank(),
                routes.namespace(),
                routes.hosts(),
                routes.hostsAt(),
                routes.port(),
                routes.gateways(),
                routes.visibility(),
                rules,
                routes.retryBudget(),
                routes.created(),
                routes.origin());
    }

    /// A rule for one match, and what decides when it is asked.
    private record Candidate(HttpRoutes routes, int index, HttpMatch match, HttpRule rule) {
        long created() {
            var created = routes.created();
            return created == null ? Long.MIN_VALUE : created.toEpochMilli();
        }

        String name() {
            return routes.origin().namespace() + "/" + routes.origin().name();
        }

        /// Exact paths, then expressions, then prefixes; a gRPC method of any service is the least specific of all.
        int pathKind() {
            return switch (match.uri()) {
                case StringMatch.Exact _ -> 0;
                case StringMatch.Regex _ -> routes.rank() == Rank.GRPC_ROUTE ? 2 : 1;
                case StringMatch.Under _, StringMatch.Prefix _, StringMatch.Present _ -> 2;
                case null -> 2;
            };
        }

        int pathLength() {
            return switch (match.uri()) {
                case StringMatch.Exact(var path) -> path.length();
                case StringMatch.Prefix(var path) -> path.length();
                case StringMatch.Under(var path) -> path.length();
                case StringMatch.Regex(var path) -> routes.rank() == Rank.GRPC_ROUTE ? 0 : path.length();
                case StringMatch.Present _ -> 0;
                case null -> 0;
            };
        }
    }

    // Gateway API's order: path, method, headers, query; of equal ones the older, then by name, then as written.
    private static final Comparator<Candidate> MOST_SPECIFIC_FIRST = Comparator.comparingInt(Candidate::pathKind)
            .thenComparing(Comparator.comparingInt(Candidate::pathLength).reversed())
            .thenComparing(one -> one.match().method() == null)
            .thenComparing(Comparator.comparingInt(
                            (Candidate one) -> one.match().headers().size())
                    .reversed())
            .thenComparing(Comparator.comparingInt(
                            (Candidate one) -> one.match().queryParams().size())
                    .reversed())
            .thenComparingLong(Candidate::created)
            .thenComparing(Candidate::name)
            .thenComparingInt(Candidate::index);

    private static HttpRoutes together(List<HttpRoutes> group) {
        var candidates = new ArrayList<Candidate>();
        for (var routes : group) {
            int index = 0;
            for (var rule : routes.rules()) {
                for (var match : rule.matches()) {
                    candidates.add(new Candidate(routes, index++, match, rule.only(match)));
                }
            }
        }
        candidates.sort(MOST_SPECIFIC_FIRST);
        return with(group.getFirst(), candidates.stream().map(Candidate::rule).toList());
    }

    private void nameLosers(String host, List<HttpRoutes> ranked, List<Problem> problems) {
        for (int i = 0; i < ranked.size(); i++) {
            var routes = ranked.get(i);
            if (routes.rank() == Rank.SERVICE) {
                nameWhatLoses(routes, host, problems);
                continue;
            }
            ranked.subList(0, i).stream()
                    .filter(other -> silences(other, routes))
                    .findFirst()
                    .ifPresent(winner -> problems.add(
                            winner.rank() == routes.rank()
                                    ? Mesh.lost(routes.origin(), host, winner.origin())
                                    : outranked(routes, host, winner)));
        }
    }

    /// Whoever speaks for a host to somebody who hears its annotations too, by its name or by whichever wildcard is the
    /// nearest for him.
    private Set<HttpRoutes> besides(HttpRoutes annotations, String host) {
        var levels = byHost.all(host);
        var voices = new LinkedHashSet<HttpRoutes>();
        fromEverywhere(levels.stream().flatMap(List::stream).toList(), (namespace, port) -> {
            if (annotations.visibility().from(namespace)) {
                levels.stream()
                        .map(ranked -> speaking(heard(ranked, namespace, port.number(), port.name())))
                        .filter(speaking -> !speaking.isEmpty())
                        .findFirst()
                        .ifPresent(speaking -> voices.addAll(voices(speaking)));
            }
        });
        return voices;
    }

    /// Annotations lose word by word, each to the first who says it himself.
    private void nameWhatLoses(HttpRoutes annotations, String host, List<Problem> problems) {
        var said = annotations.rules().getFirst();
        var speaking = besides(annotations, host);
        if (!(said.retries() instanceof HttpRule.Retries.Unsaid)) {
            speaking.stream()
                    .filter(other -> other.rank() == Rank.SERVICE_PROFILE
                            || other.rules().stream().anyMatch(rule -> saysOfRetries(other, rule)))
                    .findFirst()
                    .ifPresent(winner -> problems.add(supplanted("retries", annotations, host, winner)));
        }
        if (said.timeout() != null) {
            speaking.stream()
                    .filter(other -> other.rank() == Rank.SERVICE_PROFILE
                            || other.rules().stream().anyMatch(rule -> rule.timeout() != null))
                    .findFirst()
                    .ifPresent(winner -> problems.add(supplanted("a timeout", annotations, host, winner)));
        }
    }

    private static Problem supplanted(String what, HttpRoutes annotations, String host, HttpRoutes winner) {
        return new Problem(
                Problem.Severity.WARNING,
                annotations.origin(),
                "what annotations say of " + what + " is not in force for host " + host
                        + (winner.rank() == Rank.SERVICE_PROFILE ? "" : " where a rule says so itself") + ": "
                        + winner.origin() + " speaks for it, because " + winner.rank() + " wins over annotations of a "
                        + annotations.rank() + "; remove one of the two");
    }

    /// Whether of two for one host, the first before the second, only the first is heard somewhere.
    static boolean silences(HttpRoutes first, HttpRoutes second) {
        if (!first.visibility().overlaps(second.visibility()) || !first.port().overlaps(second.port())) {
            return false;
        }
        if (first.rank() != second.rank()) {
            return !(first.rank() == Rank.SERVICE_PROFILE && first.undivided());
        }
        return switch (first.rank()) {
            case GRPC_ROUTE, HTTP_ROUTE -> false;
            case SERVICE_PROFILE -> first.visibility().equals(second.visibility());
            case VIRTUAL_SERVICE, TRAFFIC_SPLIT, SERVICE -> true;
        };
    }

    private static Problem outranked(HttpRoutes loser, String host, HttpRoutes winner) {
        var where = new StringBuilder();
        if (winner.port().number() != 0) {
            where.append(" port ").append(winner.port().number());
        }
        if (!winner.port().name().isEmpty()) {
            where.append(" port ").append(winner.port().name());
        }
        if (!winner.visibility().equals(Visibility.EVERYWHERE)
                && !winner.visibility().equals(loser.visibility())) {
            where.append(" as clients in ")
                    .append(String.join(
                            ", ",
                            winner.visibility().namespaces().stream().sorted().toList()))
                    .append(" see it");
        }
        return new Problem(
                Problem.Severity.WARNING,
                loser.origin(),
                Mesh.NOT_IN_FORCE + host + where + ": " + winner.origin() + " speaks for it, because " + winner.rank()
                        + " wins over " + loser.rank() + "; remove one of the two");
    }
}
