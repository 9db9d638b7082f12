package dev.bodyguard.model;

import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/// How clients treat the instances of a service: which of them form subsets, how one is picked, when one is left alone.
///
/// @param host full name, lower case, `*.example.com` for every name below
/// @param hostAt where the host is written
public record BackendPolicy(
        String host,
        TrafficPolicy policy,
        List<Subset> subsets,
        @Nullable Instant created,
        Origin origin,
        Origin hostAt)
        implements Part {
    public BackendPolicy {
        subsets = List.copyOf(subsets);
    }

    /// The subset of this name.
    public Optional<Subset> subset(String name) {
        return subsets.stream().filter(subset -> subset.name().equals(name)).findFirst();
    }

    /// What holds for a port of the host or of one of its subsets, the subset's word first.
    ///
    /// @param subset empty for the host as a whole
    /// @return empty where there is no such subset
    public Optional<TrafficPolicy> at(String subset, int port) {
        return subset.isEmpty()
                ? Optional.of(policy.at(port))
                : subset(subset).map(one -> one.policy().at(port).or(policy.at(port)));
    }

    /// Instances with these labels, under a name.
    public record Subset(String name, Map<String, String> labels, TrafficPolicy policy, Origin origin) {
        public Subset {
            labels = Map.copyOf(labels);
        }
    }

    /// Null parts were not said.
    ///
    /// @param localities said together with the load balancer, or not at all
    /// @param ports port to what holds for it in place of all the rest
    public record TrafficPolicy(
            @Nullable LoadBalancer loadBalancer,
            @Nullable Localities localities,
            @Nullable Connections connections,
            @Nullable OutlierDetection outliers,
            @Nullable RetryBudget retryBudget,
            @Nullable TlsMode tls,
            Map<Integer, TrafficPolicy> ports) {
        /// Nothing was said.
        public static final TrafficPolicy UNSAID = new TrafficPolicy(null, null, null, null, null, null, Map.of());

        public TrafficPolicy {
            ports = Map.copyOf(ports);
        }

        /// What holds for one port.
        public TrafficPolicy at(int port) {
            return ports.getOrDefault(port, this);
        }

        /// This one, and the other's word where this says nothing.
        public TrafficPolicy or(TrafficPolicy other) {
            boolean balanced = loadBalancer != null || localities != null;
            return new TrafficPolicy(
                    balanced ? loadBalancer : other.loadBalancer,
                    balanced ? localities : other.localities,
                    connections != null ? connections : other.connections,
                    outliers != null ? outliers : other.outliers,
                    retryBudget != null ? retryBudget : other.retryBudget,
                    tls != null ? tls : other.tls,
                    ports.isEmpty() ? other.ports : ports);
        }
    }

    /// How an instance is picked.
    public sealed interface LoadBalancer {
        /// Of two, the one with fewer requests under way.
        ///
        /// @param warmup null where a new instance gets its full share at once
        record LeastRequest(@Nullable Warmup warmup) implements LoadBalancer {}

        /// One after the other.
        ///
        /// @param warmup null where a new instance gets its full share at once
        record RoundRobin(@Nullable Warmup warmup) implements LoadBalancer {}

        /// By chance.
        record Random() implements LoadBalancer {}

        /// One key keeps to one instance while that is there.
        record ConsistentHash(HashKey key, HashTable table) implements LoadBalancer {}
    }

    /// Which instances are asked first by where they and the client run.
    public sealed interface Localities {
        /// It makes no difference.
        record Alike() implements Localities {}

        /// Those nearby, and others where those cannot take everything.
        ///
        /// @param regions client's region to the one that stands in for it
        record Nearest(Map<String, String> regions) implements Localities {
            public Nearest {
                regions = Map.copyOf(regions);
            }
        }

        /// Each as said, by where the client is; the first that means it holds.
        record Distributed(List<Shares> from) implements Localities {
            public Distributed {
                from = List.copyOf(from);
            }
        }
    }

    /// How the traffic of clients is divided among localities.
    ///
    /// @param client where they are, with `*` for any
    /// @param percents by where the instances are, in the author's order
    public record Shares(Locality client, SequencedMap<Locality, Integer> percents) {
        public Shares {
            percents = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(percents));
        }
    }

    /// How a new instance comes to its full share.
    ///
    /// @param time until it has it
    /// @param leastPercent of it that it gets from the beginning
    /// @param aggression 1 for evenly, more for faster in the beginning
    public record Warmup(Duration time, double leastPercent, double aggression) {}

    /// What of a request is hashed; one that has nothing of it goes by chance.
    public sealed interface HashKey {
        /// A header's value.
        record Header(String name) implements HashKey {}

        /// A cookie's value.
        ///
        /// @param given what a client without one is given, null for nothing
        record Cookie(String name, @Nullable Given given) implements HashKey {}

        /// A query parameter's value.
        record Query(String name) implements HashKey {}

        /// The address that the client calls from, as its own proxy sees it.
        record SourceAddress() implements HashKey {}
    }

    /// What is said of a cookie that clients are given.
    ///
    /// @param ttl how long it lives, zero for as long as its client's session
    /// @param path empty for none
    /// @param attributes more, such as `SameSite=Lax` or `Secure`
    public record Given(Duration ttl, String path, List<Attribute> attributes) {
        public Given {
            attributes = List.copyOf(attributes);
        }
    }

    /// One of a cookie's.
    ///
    /// @param value empty for a name alone
    public record Attribute(String name, String value) {}

    /// How instances share the hashes.
    public sealed interface HashTable {
        /// By points of theirs on a ring.
        ///
        /// @param least how many there are at least
        record Ring(long least) implements HashTable {}

        /// By slots of theirs in Maglev's table.
        ///
        /// @param slots a prime
        record Maglev(long slots) implements HashTable {}
    }

    /// Limits on connections and what waits for them; null parts were not said.
    ///
    /// @param upgradeToHttp2 plaintext peers are spoken to in HTTP/2
    public record Connections(
            @Nullable Duration connectTimeout,
            @Nullable Long maxConnections,
            @Nullable Long maxPendingRequests,
            @Nullable Long maxRequests,
            boolean upgradeToHttp2) {}

    /// When an instance is left alone for a while; null parts were not said.
    ///
    /// @param minHealthPercent of instances that have to be left for the others to be left alone
    public record OutlierDetection(
            @Nullable Long consecutive5xx,
            @Nullable Long consecutiveGatewayErrors,
            @Nullable Long consecutiveLocalOriginFailures,
            boolean splitLocalOrigin,
            @Nullable Duration interval,
            @Nullable Duration baseEjectionTime,
            @Nullable Long maxEjectionPercent,
            @Nullable Long minHealthPercent) {}

    /// How much of what is under way may be retries.
    public record RetryBudget(double percent, long minConcurrency) {}

    /// What peers are spoken to in that take no mutual TLS; all others get it, whatever is said.
    public enum TlsMode {
        DISABLE,
        /// Nothing: they are not spoken to.
        ISTIO_MUTUAL
    }
}
