package dev.bodyguard.cli;

import java.util.List;
import java.util.Set;

/// The mesh's own namespace, where a document holds for the whole mesh.
///
/// @param documents what users wrote there, `kind/name` of each
record RootNamespace(List<String> documents) {
    /// Of the kinds that the mesh understands, whoever brought them.
    private static final Set<String> GROUPS = Set.of(
            "bodyguard.dev",
            "gateway.networking.k8s.io",
            "linkerd.io",
            "networking.istio.io",
            "policy.linkerd.io",
            "security.istio.io",
            "split.smi-spec.io");

    RootNamespace {
        documents = List.copyOf(documents);
    }

    /// Those of the definitions in a listing ([BroughtKind#LISTING]) of which there may be documents for the mesh.
    static List<String> kinds(String listing) {
        return listing.lines()
                .map(line -> line.split(" ", -1)[0])
                .filter(name -> GROUPS.contains(name.substring(name.indexOf('.') + 1)))
                .toList();
    }

    /// Arguments for kubectl that list the namespace's documents of these kinds, `kind/name`, one a line. Objects that
    /// are in no namespace, which kubectl would add, are not among them.
    static List<String> documents(List<String> kinds) {
        return List.of(
                "get",
                String.join(",", kinds),
                "--namespace",
                Charts.NAMESPACE,
                "--ignore-not-found",
                "-o",
                "jsonpath={range .items[?(@.metadata.namespace=='" + Charts.NAMESPACE
                        + "')]}{.kind}/{.metadata.name}{\"\\n\"}{end}");
    }

    boolean isInUse() {
        return !documents.isEmpty();
    }

    /// Arguments for kubectl that take it away; where it stays, the root of trust, which is all of ours in it that is
    /// in no chart and in no other namespace.
    List<String> removal() {
        return isInUse()
                ? List.of("delete", "secret", "bodyguard-ca", "--namespace", Charts.NAMESPACE, "--ignore-not-found")
                : List.of("delete", "namespace", Charts.NAMESPACE, "--ignore-not-found", "--timeout=2m");
    }

    /// What its user is told where it stays: why, and how it goes.
    String stays() {
        return BroughtKind.stays("namespace " + Charts.NAMESPACE, documents, "namespace " + Charts.NAMESPACE);
    }
}
