package dev.bodyguard.injector.decision;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// An object of a document, and the pod in it.
///
/// @param object all of it
/// @param pod null where it is none that has pods
/// @param podOf what the pod is a field of; null where it is the object itself
/// @param start where it begins in the text
record Workload(
        String kind,
        String name,
        String namespace,
        Tree object,
        Node.@Nullable Mapping pod,
        Node.@Nullable Entry podOf,
        int start) {
    /// `deployment "web"`
    String shown() {
        return kind.toLowerCase(Locale.ROOT) + " \"" + OptIn.shown(name) + "\"";
    }

    /// The object in a document; those in it, if it is a list.
    static List<Workload> in(Node root) {
        var found = new ArrayList<Workload>();
        collect(root, null, found);
        return found;
    }

    private static void collect(Node root, @Nullable String listed, List<Workload> found) {
        if (!(root instanceof Node.Mapping mapping)) {
            return;
        }
        var tree = mapping.tree();
        var kind = tree.at("kind").text().orElse(listed == null ? "" : listed);
        if (kind.endsWith("List") && mapping.at("items") instanceof Node.Sequence items) {
            var of = kind.equals("List") ? null : kind.substring(0, kind.length() - "List".length());
            items.items().forEach(item -> collect(item, of, found));
            return;
        }
        var metadata = tree.at("metadata");
        var path = PodTemplate.PATHS.get(kind);
        Node.Entry podOf = null;
        Node pod = path == null ? null : mapping;
        for (String step : path == null ? List.<String>of() : path) {
            podOf = pod instanceof Node.Mapping object ? object.entry(step) : null;
            pod = podOf == null ? null : podOf.value();
        }
        found.add(new Workload(
                kind.isEmpty() ? "object" : kind,
                metadata.at("name")
                        .text()
                        .or(() -> metadata.at("generateName").text())
                        .orElse(""),
                metadata.at("namespace").text().orElse("default"),
                tree,
                pod instanceof Node.Mapping template ? template : null,
                podOf,
                root.start()));
    }
}
