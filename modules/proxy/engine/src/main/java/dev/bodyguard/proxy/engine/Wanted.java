package dev.bodyguard.proxy.engine;

import java.util.Set;

/// Names that the hosts and listeners at hand mention: what to be subscribed to beside them.
///
/// @param clusters names of `Cluster` resources
/// @param assignments names of `ClusterLoadAssignment` resources
public record Wanted(Set<String> clusters, Set<String> assignments) {
    public Wanted {
        clusters = Set.copyOf(clusters);
        assignments = Set.copyOf(assignments);
    }
}
