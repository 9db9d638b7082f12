package dev.bodyguard.injector.decision;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The kubelet's questions to an app, led through the sidecar: it alone speaks plaintext with the kubelet, whatever the
/// policies of the mesh.
///
/// @param originals by the path that the kubelet asks now, for the sidecar
/// @param was by the label of the edit, for whoever takes the sidecar out
record Probes(List<Edit> edits, Map<String, Tree> originals, Map<String, Tree> was) {
    private static final int PORT = 15020;
    private static final Map<String, String> PATHS = new LinkedHashMap<>();
    private static final Map<String, String> HOOKS = new LinkedHashMap<>();
    private static final List<String> HANDLERS = List.of("httpGet", "tcpSocket", "grpc");

    static {
        PATHS.put("livenessProbe", "livez");
        PATHS.put("readinessProbe", "readyz");
        PATHS.put("startupProbe", "startupz");
        HOOKS.put("preStop", "prestopz");
        HOOKS.put("postStart", "poststartz");
    }

    static Probes of(App app, boolean rewrite) {
        var probes = new Probes(new ArrayList<>(), new LinkedHashMap<>(), new LinkedHashMap<>());
        if (rewrite) {
            probes.rewrite("containers", app.containers());
            // Those that stay have probes too.
            probes.rewrite("initContainers", app.initContainers());
        }
        return probes;
    }

    private void rewrite(String list, List<Tree> containers) {
        for (int i = 0; i < containers.size(); i++) {
            var container = containers.get(i);
            var name = container.at("name").text().orElse("");
            var place = List.of("spec", list, String.valueOf(i));
            PATHS.forEach(
                    (probe, path) -> rewrite(container, place, List.of(probe), "/app-health/" + name + "/" + path));
            HOOKS.forEach((hook, path) ->
                    rewrite(container, place, List.of("lifecycle", hook), "/app-lifecycle/" + name + "/" + path));
        }
    }

    private void rewrite(Tree container, List<String> place, List<String> field, String path) {
        var asked = container.at(field.toArray(String[]::new));
        for (String handler : HANDLERS) {
            var original = asked.at(handler);
            if (original.isNothing()) {
                continue;
            }
            var object = new ArrayList<>(place);
            object.addAll(field);
            var label = new Edit.Label(
                    place.get(1) + "/" + container.at("name").text().orElse("") + "/" + String.join("/", field));
            edits.add(new Edit.Instead(object, handler, "httpGet", Tree.obj("path", path, "port", PORT), label));
            var told = new LinkedHashMap<String, Tree>();
            told.put(handler, numbered(original, container));
            if (!asked.at("timeoutSeconds").isNothing()) {
                told.put("timeoutSeconds", asked.at("timeoutSeconds"));
            }
            originals.put(path, new Tree.Obj(told));
            was.put(label.text(), Tree.obj(handler, original));
        }
    }

    /// A port may be named; the sidecar does not know the container's names.
    private static Tree numbered(Tree original, Tree container) {
        if (!(original.at("port") instanceof Tree.Text(var name))) {
            return original;
        }
        var fields = new LinkedHashMap<>(original.fields());
        for (var port : container.at("ports").items()) {
            if (port.at("name").text().orElse("").equals(name)) {
                fields.put("port", port.at("containerPort"));
                return new Tree.Obj(fields);
            }
        }
        throw new Unfit(
                "a probe of container "
                        + OptIn.shown(container.at("name").text().orElse("")) + " asks port " + OptIn.shown(name)
                        + ", which the container does not declare",
                "declare it under ports, or write its number");
    }
}
