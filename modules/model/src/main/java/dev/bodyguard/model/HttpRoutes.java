package dev.bodyguard.model;

import dev.bodyguard.model.BackendPolicy.RetryBudget;
import dev.bodyguard.model.HttpRule.Destination;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// An author's rules for requests to some hosts, in the order in which they are asked.
///
/// @param rank which of an authors' languages they are written in
/// @param namespace where they were written; short host names in them are of this namespace
/// @param hosts full names, lower case, `*.example.com` for every name below, `*` for all
/// @param hostsAt where each of the hosts is written
/// @param port of the hosts' ports those that they are about
/// @param gateways where the rules hold, [HttpMatch#MESH] for sidecars
/// @param retryBudget what the retries that they ask for share, null where that was not said
/// @param created when the API server first saw them, null where they come from a file
public record HttpRoutes(
        Rank rank,
        String namespace,
        List<String> hosts,
        Map<String, Origin> hostsAt,
        OnPort port,
        Set<String> gateways,
        Visibility visibility,
        List<HttpRule> rules,
        @Nullable RetryBudget retryBudget,
        @Nullable Instant created,
        Origin origin)
        implements Part {
    public HttpRoutes {
        hosts = List.copyOf(hosts);
        hostsAt = Map.copyOf(hostsAt);
        gateways = Set.copyOf(gateways);
        rules = List.copyOf(rules);
    }

    /// The languages in which authors write rules, the one that wins first: for one host, one of them speaks.
    public enum Rank {
        /// Gateway API for gRPC. All routes of a service are taken together, by how specific their matches are.
        GRPC_ROUTE("GRPCRoute"),
        /// Gateway API, likewise taken together.
        HTTP_ROUTE("HTTPRoute"),
        /// Istio. The first one speaks.
        VIRTUAL_SERVICE("VirtualService"),
        /// Linkerd. Where it says nothing of a split, a [#TRAFFIC_SPLIT] does.
        SERVICE_PROFILE("ServiceProfile"),
        /// SMI: where everything goes.
        TRAFFIC_SPLIT("TrafficSplit"),
        /// A Service's annotations, in one rule. Where another one speaks that says nothing of retries, or of a
        /// timeout, what
        /// this says of it holds; beside a [#SERVICE_PROFILE] nothing of it does.
        SERVICE("Service");

        private final String kind;

        Rank(String kind) {
            this.kind = kind;
        }

        @Override
        public String toString() {
            return kind;
        }
    }

    /// Ports of a service.
    ///
    /// @param number 0 for any
    /// @param name the port's name, empty for any
    public record OnPort(int number, String name) {
        /// Every port.
        public static final OnPort ANY = new OnPort(0, "");

        /// Whether this is one of them.
        ///
        /// @param its what the service calls the port, empty where it has no name
        public boolean includes(int port, String its) {
            return (number == 0 || number == port) && (name.isEmpty() || name.equals(its));
        }

        /// Whether some port may be in both.
        boolean overlaps(OnPort other) {
            return (number == 0 || other.number == 0 || number == other.number)
                    && (name.isEmpty() || other.name.isEmpty() || name.equals(other.name));
        }
    }

    /// Where one of the hosts is written, as far as that is known.
    public Origin hostAt(String host) {
        return hostsAt.getOrDefault(host, origin);
    }

    /// Whether these, in a language that ranks higher, speak for some host in place of others.
    public boolean outrank(HttpRoutes others) {
        return rank.compareTo(others.rank) < 0
                && gateways.contains(HttpMatch.MESH)
                && others.gateways.contains(HttpMatch.MESH)
                && hosts.stream().anyMatch(others.hosts::contains)
                && RouteTable.silences(this, others);
    }

    /// Where the rules lead to, each place once.
    public Set<Destination> destinations() {
        var all = new LinkedHashSet<Destination>();
        for (var rule : rules) {
            if (rule.action() instanceof HttpRule.Action.Forward(var weighted)) {
                weighted.forEach(one -> all.add(one.destination()));
            }
        }
        return all;
    }

    /// Whether every rule leads to the hosts themselves or answers here, so that a split may still be made.
    boolean undivided() {
        return rules.stream()
                .noneMatch(rule -> rule.action() instanceof HttpRule.Action.Forward(var destinations)
                        && !destinations.stream()
                                .allMatch(
                                        one -> hosts.contains(one.destination().host())));
    }
}
