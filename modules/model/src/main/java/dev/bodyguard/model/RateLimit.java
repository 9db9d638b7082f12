package dev.bodyguard.model;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// How much some workloads take on, each instance for itself.
///
/// @param rules a request has to pass every rule that matches it
public record RateLimit(PolicyTarget target, List<Rule> rules, Origin origin) implements Part {
    public RateLimit {
        rules = List.copyOf(rules);
    }

    /// A limit for requests of some kind.
    ///
    /// @param methods empty for all
    /// @param path null for all
    /// @param quota null where only overrides hold
    /// @param each every caller's identity has the quota for itself; callers without one share it
    /// @param overrides what callers have in place of the quota, by `namespace/service account`
    /// @param status of the refusal
    public record Rule(
            Set<String> methods,
            @Nullable StringMatch path,
            @Nullable Quota quota,
            boolean each,
            Map<String, Quota> overrides,
            int status,
            Origin origin) {
        public Rule {
            methods = Set.copyOf(methods);
            overrides = Map.copyOf(overrides);
        }
    }

    /// So many requests in a time, evenly refilled.
    ///
    /// @param burst how many may come at once, after a quiet time
    public record Quota(long requests, Duration per, long burst) {
        public Quota {
            if (requests < 1 || burst < 1 || !per.isPositive()) {
                throw new IllegalArgumentException(
                        "a quota is of 1 or more, was " + requests + " per " + per + ", burst " + burst);
            }
        }
    }
}
