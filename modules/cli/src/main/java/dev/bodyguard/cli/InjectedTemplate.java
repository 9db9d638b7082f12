package dev.bodyguard.cli;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// A workload in the cluster whose own template holds the sidecar, as `bodyguard inject` wrote it: each pod that starts
/// from it has one, and waits without end for the ConfigMap `bodyguard-root` where there is no mesh.
///
/// @param kind as the API server spells it: `Deployment`
record InjectedTemplate(String kind, String namespace, String name) {
    private static final String PROXY = "bodyguard-proxy";
    /// What others of the listed kinds make from their own template.
    private static final Set<String> MADE_BY_OTHERS = Set.of("ReplicaSet", "ReplicationController", "Job");

    private static final Set<String> ENDS = Set.of("Complete", "Failed");

    /// Arguments for kubectl that list the workloads whose template says that it was injected, one a line, with tabs
    /// between kind, namespace, name, the kinds of its owners, the types of its conditions, and its containers.
    static final List<String> LISTING = List.of(
            "get",
            "deployments.apps,statefulsets.apps,daemonsets.apps,replicasets.apps,replicationcontrollers,jobs.batch,"
                    + "cronjobs.batch",
            "--all-namespaces",
            "--ignore-not-found",
            "-o",
            "jsonpath=" + lines(".spec.template") + lines(".spec.jobTemplate.spec.template"));

    private static String lines(String template) {
        return "{range .items[?(@" + template + ".metadata.annotations.bodyguard\\.dev/status)]}"
                + "{.kind}{\"\\t\"}{.metadata.namespace}{\"\\t\"}{.metadata.name}{\"\\t\"}"
                + "{.metadata.ownerReferences[*].kind}{\"\\t\"}{.status.conditions[*].type}{\"\\t\"}"
                + "{" + template + ".spec.initContainers[*].name} {" + template + ".spec.containers[*].name}"
                + "{\"\\n\"}{end}";
    }

    /// Those of a listing that pods may still start from: not what has an owner whose template is the one to change,
    /// no Job that has ended, nothing that keeps the annotation and has lost the sidecar.
    static List<InjectedTemplate> in(String listing) {
        return listing.lines()
                .map(line -> line.split("\t", -1))
                .filter(fields -> fields.length == 6)
                .filter(fields -> fields[3].isBlank() || !MADE_BY_OTHERS.contains(fields[0]))
                .filter(fields -> !fields[0].equals("Job") || words(fields[4]).noneMatch(ENDS::contains))
                .filter(fields -> words(fields[5]).anyMatch(PROXY::equals))
                .map(fields -> new InjectedTemplate(fields[0], fields[1], fields[2]))
                .toList();
    }

    /// What takes the sidecar out, as it is typed. By replace: apply takes out only what apply has put in. A Job's
    /// template is never another.
    String wayOut() {
        var what = kind.toLowerCase(Locale.ROOT) + " " + name;
        return kind.equals("Job")
                ? "kubectl -n " + namespace + " delete " + what + "  # or wait until it has ended"
                : "kubectl -n " + namespace + " get " + what + " -o yaml | bodyguard uninject - | kubectl replace -f -";
    }

    /// Why the mesh cannot go, and a line for each of them.
    static String refusal(List<InjectedTemplate> templates) {
        return "nothing was removed: these templates hold a sidecar, and without the mesh no pod could start from them."
                + " Take it out, also of the manifests that they come from, then uninstall again:\n"
                + templates.stream().map(template -> "  " + template.wayOut()).collect(Collectors.joining("\n"));
    }

    private static Stream<String> words(String field) {
        return Arrays.stream(field.split(" ", -1));
    }
}
