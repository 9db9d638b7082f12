package dev.bodyguard.model;

import java.util.Map;
import java.util.Set;

/// The workloads that a policy is about.
public sealed interface PolicyTarget {
    /// Where the policy stands.
    String namespace();

    /// Workloads of the namespace that carry these labels; of every namespace, where it stands in a root namespace.
    ///
    /// @param labels empty: all of them
    record Labelled(String namespace, Map<String, String> labels) implements PolicyTarget {
        public Labelled {
            labels = Map.copyOf(labels);
        }
    }

    /// Workloads behind any of these services of the namespace, by short name.
    record Services(String namespace, Set<String> names) implements PolicyTarget {
        public Services {
            names = Set.copyOf(names);
        }
    }

    /// What a [Server] of the namespace selects.
    record OfServer(String namespace, String name) implements PolicyTarget {}
}
