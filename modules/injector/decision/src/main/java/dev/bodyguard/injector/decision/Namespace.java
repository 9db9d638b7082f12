package dev.bodyguard.injector.decision;

import java.util.Map;
import java.util.Set;

/// What a namespace says of the pods in it.
public record Namespace(String name, Map<String, String> labels, Map<String, String> annotations) {
    /// Whose pods run the cluster, or the mesh itself: they never get a sidecar.
    public static final Set<String> NEVER = Set.of("kube-system", "kube-public", "kube-node-lease", "bodyguard-system");

    public Namespace {
        labels = Map.copyOf(labels);
        annotations = Map.copyOf(annotations);
    }

    /// One whose pods get a sidecar unless they decline: what `bodyguard inject` takes for granted.
    public static Namespace optedIn(String name) {
        return new Namespace(name, Map.of(OptIn.OWN, "enabled"), Map.of());
    }
}
