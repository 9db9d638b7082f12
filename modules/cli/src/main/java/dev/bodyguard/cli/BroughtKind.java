package dev.bodyguard.cli;

import java.util.ArrayList;
import java.util.List;

/// A kind that our chart brought to a cluster, and what users have written of it.
///
/// @param name of its CustomResourceDefinition: `virtualservices.networking.istio.io`
/// @param documents `namespace/name` of each
record BroughtKind(String name, List<String> documents) {
    private static final int MOST_NAMED = 3;

    /// Arguments for kubectl that list every kind's definition, one a line: its name, then name and namespace of the
    /// release that brought it, as helm notes them; empty where helm did not.
    static final List<String> LISTING = List.of(
            "get",
            "customresourcedefinitions",
            "--ignore-not-found",
            "-o",
            "jsonpath={range .items[*]}{.metadata.name} {.metadata.annotations.meta\\.helm\\.sh/release-name}"
                    + " {.metadata.annotations.meta\\.helm\\.sh/release-namespace}{\"\\n\"}{end}");

    BroughtKind {
        documents = List.copyOf(documents);
    }

    /// Those of a listing that our own release brought, which is the one in the mesh's namespace. Another mesh that
    /// brought the same kind keeps its own.
    static List<String> ours(String listing) {
        return listing.lines()
                .map(line -> line.split(" ", -1))
                .filter(words ->
                        words.length == 3 && words[1].equals(Charts.KINDS) && words[2].equals(Charts.NAMESPACE))
                .map(words -> words[0])
                .toList();
    }

    /// Arguments for kubectl that list the documents of a kind, `namespace/name`, one a line.
    static List<String> documents(String name) {
        return List.of(
                "get",
                name,
                "--all-namespaces",
                "--ignore-not-found",
                "-o",
                "jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name}{\"\\n\"}{end}");
    }

    /// Arguments for kubectl that delete kinds, and all there is of them, and wait until they are gone.
    static List<String> deletion(List<String> names) {
        var arguments = new ArrayList<>(List.of("delete", "customresourcedefinitions"));
        arguments.addAll(names);
        arguments.addAll(List.of("--ignore-not-found", "--timeout=2m"));
        return List.copyOf(arguments);
    }

    boolean isInUse() {
        return !documents.isEmpty();
    }

    /// What its user is told where it stays: why, and how it goes.
    String stays() {
        return stays(name, documents, "customresourcedefinition " + name);
    }

    /// @param deleted what kubectl is told to delete
    static String stays(String what, List<String> documents, String deleted) {
        var named = documents.stream().limit(MOST_NAMED).toList();
        int more = documents.size() - named.size();
        return what + " stays, for it holds " + String.join(", ", named) + (more > 0 ? " and " + more + " more" : "")
                + "; kubectl delete " + deleted + " deletes it with what it holds";
    }
}
