package dev.bodyguard.model;

import java.util.Map;

/// The workloads that a policy is about.
public sealed interface PolicyTarget {
    /// Where the policy stands.
    String namespace();

    /// Workloads of the namespace that carry these labels; of every namespace, where it stands in a root namespace.
    ///
    /// @param labels empty: all of them
    /// @param at where they are written; the namespace, where there are none
    record Labelled(String namespace, Map<String, String> labels, Origin at) implements PolicyTarget {
        public Labelled {
            labels = Map.copyOf(labels);
        }
    }

    /// Workloads behind any of these services of the namespace.
    ///
    /// @param names short ones, and where each is written
    record Services(String namespace, Map<String, Origin> names) implements PolicyTarget {
        public Services {
            names = Map.copyOf(names);
        }
    }

    /// What a [Server] of the namespace selects.
    ///
    /// @param at where its name is written
    record OfServer(String namespace, String name, Origin at) implements PolicyTarget {}
}
