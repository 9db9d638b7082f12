package dev.bodyguard.injector.decision;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What injection added to a pod, kept in the pod's annotation `bodyguard.dev/status` as JSON: enough to tell that it
/// was done, and to take it out again.
///
/// @param was what was there before, for each entry that became another: label to `{key: value}`
record Status(
        String revision,
        List<String> containers,
        List<String> initContainers,
        List<String> volumes,
        List<String> annotations,
        List<String> labels,
        Map<String, Tree> was) {
    static final String ANNOTATION = "bodyguard.dev/status";
    /// What a text said before, character by character, where its values do not tell.
    static final String ORIGINAL = "bodyguard.dev/original";

    static final String PROXY = "bodyguard-proxy";
    static final String INIT = "bodyguard-init";

    String json() {
        var fields = new LinkedHashMap<String, Tree>();
        fields.put("revision", new Tree.Text(revision));
        fields.put("containers", Tree.arr(containers.toArray()));
        fields.put("initContainers", Tree.arr(initContainers.toArray()));
        fields.put("volumes", Tree.arr(volumes.toArray()));
        fields.put("annotations", Tree.arr(annotations.toArray()));
        fields.put("labels", Tree.arr(labels.toArray()));
        if (!was.isEmpty()) {
            fields.put("was", new Tree.Obj(was));
        }
        return new Tree.Obj(fields).json();
    }

    /// Reads the pod's annotation.
    ///
    /// @return null where there is none
    static @Nullable Status in(Tree pod) {
        var text = pod.at("metadata", "annotations", ANNOTATION).text();
        if (text.isEmpty()) {
            return null;
        }
        Tree json;
        try {
            json = Source.readOne(text.get()).tree();
        } catch (Unreadable broken) {
            throw new Unfit(
                    "its annotation " + ANNOTATION + " cannot be read (" + broken.getMessage() + ")",
                    "remove the annotation and what was injected by hand");
        }
        return new Status(
                json.at("revision").text().orElse("unknown"),
                names(json.at("containers")),
                names(json.at("initContainers")),
                names(json.at("volumes")),
                names(json.at("annotations")),
                names(json.at("labels")),
                json.at("was").fields());
    }

    /// Whether the pod still has the sidecar that its annotation tells of.
    boolean holds(Tree pod) {
        return named(pod.at("spec", "containers"), PROXY) || named(pod.at("spec", "initContainers"), PROXY);
    }

    static boolean named(Tree containers, String name) {
        return containers.items().stream()
                .anyMatch(container -> container.at("name").text().orElse("").equals(name));
    }

    private static List<String> names(Tree array) {
        return array.items().stream().flatMap(item -> item.text().stream()).toList();
    }
}
