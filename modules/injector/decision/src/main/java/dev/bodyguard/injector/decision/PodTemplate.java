package dev.bodyguard.injector.decision;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Where the kinds that have pods say what is in them.
public final class PodTemplate {
    /// Kind to the path of what is `metadata` and `spec` of a pod.
    static final Map<String, List<String>> PATHS = Map.of(
            "Pod", List.of(),
            "Deployment", List.of("spec", "template"),
            "StatefulSet", List.of("spec", "template"),
            "DaemonSet", List.of("spec", "template"),
            "ReplicaSet", List.of("spec", "template"),
            "ReplicationController", List.of("spec", "template"),
            "Job", List.of("spec", "template"),
            "CronJob", List.of("spec", "jobTemplate", "spec", "template"));

    private PodTemplate() {}

    /// The pod that an object is or makes; empty where it makes none.
    public static Optional<Tree> of(String kind, Tree object) {
        var path = PATHS.get(kind);
        if (path == null) {
            return Optional.empty();
        }
        var template = object.at(path.toArray(String[]::new));
        return template.isNothing() ? Optional.empty() : Optional.of(template);
    }
}
