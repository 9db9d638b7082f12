package dev.bodyguard.dialect.reading;

import dev.bodyguard.model.PolicyTarget;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;

/// Which workloads a policy is about, as `selector` and `targetRef` say.
public final class Targets {
    private Targets() {}

    /// Reads `selector`, `targetRef` and `targetRefs`; where there is none of them, or an
    /// empty selector, the policy is about its namespace.
    public static PolicyTarget read(Fields spec, String namespace) {
        var labels = spec.<Map<String, String>>object("selector", selector -> selector.map("matchLabels"));
        var services = new ArrayList<String>();
        spec.<Boolean>object("targetRef", ref -> services.add(service(ref, namespace)));
        services.addAll(spec.list("targetRefs", ref -> service(ref, namespace)));
        if (spec.has("targetRefs") && services.isEmpty()) {
            spec.error("targetRefs", "must name at least one; leave it out to mean every workload of the namespace");
        }
        if (services.isEmpty()) {
            return new PolicyTarget.Labelled(namespace, labels == null ? Map.of() : labels);
        }
        if (labels != null) {
            spec.error("selector", "cannot stand beside targetRefs; remove one of the two");
        }
        return new PolicyTarget.Services(namespace, new HashSet<>(services));
    }

    private static String service(Fields ref, String namespace) {
        var group = ref.text("group");
        var kind = ref.required("kind");
        var name = ref.required("name");
        var there = ref.text("namespace");
        if (ref.has("kind") && !(kind.equals("Service") && List.of("", "core").contains(group))) {
            ref.error("kind", "must be Service, of no group, was " + (group.isEmpty() ? "" : group + "/") + kind);
        }
        if (!there.isEmpty() && !there.equals(namespace)) {
            ref.error("namespace", "must be the policy's own, " + namespace + ", was " + there);
        }
        return name;
    }
}
