package dev.bodyguard.model;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

    /// Instances with these labels, under a name.
    public record Subset(String name, Map<String, String> labels, TrafficPolicy policy, Origin origin) {
        public Subset {
            labels = Map.copyOf(labels);
        }
    }

    /// Null parts were not said.
    ///
    /// @param ports port to what holds for it in place of all the rest
    public record TrafficPolicy(
            @Nullable LoadBalancer loadBalancer,
            @Nullable Connections connections,
            @Nullable OutlierDetection outliers,
            @Nullable RetryBudget retryBudget,
            @Nullable TlsMode tls,
            Map<Integer, TrafficPolicy> ports) {
        /// Nothing was said.
        public static final TrafficPolicy UNSAID = new TrafficPolicy(null, null, null, null, null, Map.of());

        public TrafficPolicy {
            ports = Map.copyOf(ports);
        }

        /// What holds for one port.
        public TrafficPolicy at(int port) {
            return ports.getOrDefault(port, this);
        }

        /// This one, and the other's word where this says nothing.
        public TrafficPolicy or(TrafficPolicy other) {
            return new TrafficPolicy(
                    loadBalancer != null ? loadBalancer : other.loadBalancer,
                    connections != null ? connections : other.connections,
                    outliers != null ? outliers : other.outliers,
                    retryBudget != null ? retryBudget : other.retryBudget,
                    tls != null ? tls : other.tls,
                    ports.isEmpty() ? other.ports : ports);
        }
    }

    /// How an instance is picked.
    public enum LoadBalancer {
        LEAST_REQUEST,
        ROUND_ROBIN,
        RANDOM
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
