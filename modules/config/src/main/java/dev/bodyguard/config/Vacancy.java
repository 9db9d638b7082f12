package dev.bodyguard.config;

import dev.bodyguard.model.HttpRule.Action.Forward;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Mesh.Instance;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.Problem;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// A subset that requests are sent to though it has none of its host's instances, of which there are some: its labels
/// may be mistyped.
///
/// @param at where the subset is defined
record Vacancy(String host, String subset, Map<String, String> labels, Origin at) {
    /// Those of a mesh. A destination without weight gets no request, so that its subset may be empty.
    static Set<Vacancy> in(Mesh mesh) {
        var all = new LinkedHashSet<Vacancy>();
        for (var routes : mesh.routes()) {
            for (var rule : routes.rules()) {
                if (rule.action() instanceof Forward(var weighted)) {
                    weighted.stream()
                            .filter(one -> one.weight() > 0)
                            .map(one -> one.destination())
                            .flatMap(to -> mesh.policy(to.host()).stream()
                                    .flatMap(policy -> policy.subset(to.subset()).stream())
                                    .map(subset ->
                                            new Vacancy(to.host(), subset.name(), subset.labels(), subset.origin())))
                            .forEach(all::add);
                }
            }
        }
        all.removeIf(one -> !one.isVacant(mesh));
        return all;
    }

    private boolean isVacant(Mesh mesh) {
        return instances(mesh, labels).isEmpty() && !instances(mesh, Map.of()).isEmpty();
    }

    private List<Instance> instances(Mesh mesh, Map<String, String> labels) {
        return mesh.destination(host).stream()
                .flatMap(service ->
                        service.ports().stream().flatMap(port -> mesh.instances(service, port, labels).stream()))
                .toList();
    }

    /// What its author is told.
    Problem problem(Mesh mesh) {
        var have = instances(mesh, Map.of()).stream()
                .map(instance -> shown(instance.workload().labels().entrySet().stream()
                        .filter(label -> labels.containsKey(label.getKey()))
                        .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue))))
                .distinct()
                .sorted()
                .collect(Collectors.joining(", "));
        return new Problem(
                Problem.Severity.WARNING,
                at,
                "no instance of " + host + " has the labels of subset " + subset + ", " + shown(labels) + ", but "
                        + have + "; requests routed there get a 503. Correct the labels, or start such an instance");
    }

    private static String shown(Map<String, String> labels) {
        return new TreeMap<>(labels).toString();
    }
}
