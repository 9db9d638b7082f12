package dev.bodyguard.proxy.engine;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// A destination: its endpoints and how they are chosen and spoken to.
public final class ClusterPlan {
    private final String name;
    private final Service service;
    private final int outsideSubset;
    private final @Nullable String origin;
    private final Discovery discovery;
    private final Duration connectTimeout;
    private final List<Endpoint> endpoints;
    private final Choice choice;
    private final RetryBudget budget;
    private final Limits limits;

    ClusterPlan(
            String name,
            Service service,
            int outsideSubset,
            @Nullable String origin,
            Discovery discovery,
            Duration connectTimeout,
            List<Endpoint> endpoints,
            Choice choice,
            RetryBudget budget,
            Limits limits) {
        this.name = name;
        this.service = service;
        this.outsideSubset = outsideSubset;
        this.origin = origin;
        this.discovery = discovery;
        this.connectTimeout = connectTimeout;
        this.endpoints = List.copyOf(endpoints);
        this.choice = choice;
        this.budget = budget;
        this.limits = limits;
    }

    /// `outbound|80|v2|payment-service.default.svc.cluster.local`
    public String name() {
        return name;
    }

    public Service service() {
        return service;
    }

    /// How many endpoints its service has that are not of this subset, where this subset has none; 0 where that is not
    /// known.
    public int outsideSubset() {
        return outsideSubset;
    }

    /// What its policy is due to, null where nobody wrote one.
    public @Nullable String origin() {
        return origin;
    }

    public Discovery discovery() {
        return discovery;
    }

    public Duration connectTimeout() {
        return connectTimeout;
    }

    /// All of them, ready or not.
    public List<Endpoint> endpoints() {
        return endpoints;
    }

    public RetryBudget budget() {
        return budget;
    }

    public Limits limits() {
        return limits;
    }

    /// An endpoint for an attempt, null where none is available.
    ///
    /// @param tried endpoints to avoid while there is another; empty at the first attempt
    /// @param hash of what the route hashes by, anything where it does not hash
    public @Nullable Endpoint pick(Collection<Endpoint> tried, RandomGenerator random, long hash) {
        return choice.now().pick(tried, random, hash);
    }

    /// Those that an attempt may go to now: ready, and in service unless too few are.
    public List<Endpoint> available() {
        return choice.now().among();
    }

    /// Whether endpoints that fail too often are ejected.
    boolean ejects() {
        return choice.ejects();
    }

    /// Whether endpoints count for less that have come not long ago.
    boolean warms() {
        return choice.warms();
    }

    /// The part of its weight that an endpoint counts for now, less than 1 while it is new.
    public double share(Endpoint endpoint) {
        return choice.share(endpoint);
    }

    /// Whether ejected endpoints are asked too, as too few are left.
    public boolean panics() {
        return choice.now().panic();
    }

    @Override
    public String toString() {
        return name + " " + endpoints;
    }

    /// Where endpoints come from.
    public enum Discovery {
        /// The control plane names addresses.
        GIVEN,
        /// Endpoints are names, to be resolved when connecting.
        DNS,
        /// There are no endpoints: where the application addressed the request.
        ORIGINAL_DESTINATION
    }

    /// The service behind a cluster, for telemetry; empty where not known.
    ///
    /// @param host its fully qualified name
    public record Service(String host, String name, String namespace) {}

    /// How much may be under way to the cluster.
    ///
    /// @param connections per event loop's pool
    public record Limits(int connections, int pending, int requests) {
        /// Envoy's maximum, which is none.
        public static final Limits NONE = new Limits(Integer.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE);
    }
}
