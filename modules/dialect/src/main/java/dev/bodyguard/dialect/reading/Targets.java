package dev.bodyguard.dialect.reading;

import dev.bodyguard.model.Document;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.PolicyTarget;
import dev.bodyguard.model.Value;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Which workloads a policy is about, as `selector` and `targetRef` say.
public final class Targets {
    private Targets() {}

    /// Reads `selector`, `targetRef` and `targetRefs`; where there is none of them, or an
    /// empty selector, the policy is about its namespace.
    ///
    /// @param document that `spec` is of
    public static PolicyTarget read(Fields spec, Document document) {
        var namespace = document.namespace();
        var labelled = spec.<PolicyTarget>object("selector", selector -> {
            var labels = selector.map("matchLabels");
            return new PolicyTarget.Labelled(
                    namespace, labels, labels.isEmpty() ? namespace(document) : selector.origin("matchLabels"));
        });
        var services = new HashMap<String, Origin>();
        spec.<Boolean>object("targetRef", ref -> service(ref, namespace, services));
        spec.<Boolean>list("targetRefs", ref -> service(ref, namespace, services));
        if (spec.has("targetRefs") && services.isEmpty()) {
            spec.error("targetRefs", "must name at least one; leave it out to mean every workload of the namespace");
        }
        if (services.isEmpty()) {
            return labelled == null ? new PolicyTarget.Labelled(namespace, Map.of(), namespace(document)) : labelled;
        }
        if (labelled != null) {
            spec.error("selector", "cannot stand beside targetRefs; remove one of the two");
        }
        return new PolicyTarget.Services(namespace, services);
    }

    /// Where a document's namespace is written; the document, where it is not.
    public static Origin namespace(Document document) {
        var written = document.root().get("metadata") instanceof Value.Mapping head ? head.get("namespace") : null;
        return written == null ? document.origin() : document.origin("metadata.namespace", written.at());
    }

    private static boolean service(Fields ref, String namespace, Map<String, Origin> services) {
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
        return services.putIfAbsent(name, ref.origin("name")) == null;
    }
}
