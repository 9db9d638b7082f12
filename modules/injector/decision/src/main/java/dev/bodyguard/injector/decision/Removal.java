package dev.bodyguard.injector.decision;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Takes out of the text of a pod what [Insertion] wrote there, and what the webhook added to an object that was read
/// back from the API server.
final class Removal {
    private static final int STEP = 2;

    private final String text;
    private final Status status;
    private final Original original;
    private final List<Splice> splices = new ArrayList<>();

    private Removal(String text, Status status, Original original) {
        this.text = text;
        this.status = status;
        this.original = original;
    }

    /// The splices that take the sidecar out; null where there is none.
    static @Nullable List<Splice> of(String text, Node.Mapping pod) {
        var tree = pod.tree();
        var status = Status.in(tree);
        if (status == null || !status.holds(tree)) {
            return null;
        }
        var removal = new Removal(text, status, Original.in(tree));
        removal.pod(pod);
        return removal.splices;
    }

    private void pod(Node.Mapping pod) {
        status.was().forEach((label, was) -> restore(pod, label, was));
        var annotations = new HashSet<>(status.annotations());
        annotations.add(Status.ANNOTATION);
        annotations.add(Status.ORIGINAL);
        var ours = Map.<String, Set<String>>of(
                "metadata/annotations", annotations,
                "metadata/labels", Set.copyOf(status.labels()),
                "spec/containers", Set.copyOf(status.containers()),
                "spec/initContainers", Set.copyOf(status.initContainers()),
                "spec/volumes", Set.copyOf(status.volumes()));
        for (String part : List.of("metadata", "spec")) {
            var entry = pod.entry(part);
            if (entry != null && entry.value() instanceof Node.Mapping mapping) {
                var gone = emptied(mapping, part, ours);
                if (gone.size() == mapping.entries().size() && !gone.isEmpty()) {
                    leave(pod, entry, part);
                } else {
                    drop(mapping, gone);
                }
            }
        }
    }

    /// Takes our own out of each collection.
    ///
    /// @return the collections that nothing is left of
    private List<Node.Entry> emptied(Node.Mapping parent, String part, Map<String, Set<String>> ours) {
        var gone = new ArrayList<Node.Entry>();
        var pending = new ArrayList<Runnable>();
        for (var entry : parent.entries()) {
            var path = part + "/" + entry.key();
            var names = ours.getOrDefault(path, Set.of());
            if (names.isEmpty()) {
                continue;
            }
            switch (entry.value()) {
                case Node.Mapping mapping -> {
                    var own = mapping.entries().stream()
                            .filter(one -> names.contains(one.key()))
                            .toList();
                    if (own.size() < mapping.entries().size()) {
                        pending.add(() -> drop(mapping, own));
                    } else if (original.emptied().containsKey(path)) {
                        pending.add(() -> said(entry, path, parent.flow()));
                    } else if (!own.isEmpty()) {
                        gone.add(entry);
                    }
                }
                case Node.Sequence list -> {
                    Predicate<Node> isOurs =
                            item -> names.contains(item.tree().at("name").text().orElse(""));
                    var own = list.items().stream().filter(isOurs).toList();
                    if (own.size() < list.items().size()) {
                        pending.add(() -> drop(list, own));
                    } else if (original.emptied().containsKey(path)) {
                        pending.add(() -> said(entry, path, parent.flow()));
                    } else if (!own.isEmpty()) {
                        gone.add(entry);
                    }
                }
                case Node.Scalar _ -> {}
            }
        }
        pending.forEach(Runnable::run);
        return gone;
    }

    /// Nothing is left of an entry of the pod itself.
    private void leave(Node.Mapping pod, Node.Entry entry, String path) {
        if (original.emptied().containsKey(path)) {
            said(entry, path, pod.flow());
        } else {
            drop(pod, List.of(entry));
        }
    }

    private void said(Node.Entry entry, String path, boolean flow) {
        var was = original.emptied().getOrDefault(path, "");
        splices.add(new Splice(entry.colon(), entry.end(), flow && was.isBlank() ? " null" : was));
    }

    private void drop(Node.Mapping mapping, List<Node.Entry> gone) {
        if (mapping.flow()) {
            dropFlow(mapping.entries().stream()
                    .map(entry -> new Span(entry.start(), entry.end(), gone.contains(entry)))
                    .toList());
            return;
        }
        for (var entry : gone) {
            dropLines(entry.start(), entry.end());
        }
    }

    private void drop(Node.Sequence list, List<Node> gone) {
        if (list.flow()) {
            dropFlow(list.items().stream()
                    .map(item -> new Span(item.start(), item.end(), gone.contains(item)))
                    .toList());
            return;
        }
        for (var item : gone) {
            int dash = item.start() - 1;
            while (dash > 0 && Character.isWhitespace(text.charAt(dash))) {
                dash--;
            }
            dropLines(dash, item.end());
        }
    }

    private void dropLines(int start, int end) {
        int line = Lines.start(text, start);
        if (!text.substring(line, start).isBlank()) {
            throw new Unfit(
                    "what was injected stands on a line with other things",
                    "write each key and each item on a line of its own");
        }
        splices.add(new Splice(line, Lines.next(text, end), ""));
    }

    private record Span(int start, int end, boolean gone) {}

    /// Each goes with the comma behind it; the last ones with the comma before them.
    private void dropFlow(List<Span> spans) {
        int kept = -1;
        for (int i = 0; i < spans.size(); i++) {
            if (!spans.get(i).gone) {
                kept = i;
            }
        }
        for (int i = 0; i < spans.size(); i++) {
            if (spans.get(i).gone && i < kept) {
                splices.add(new Splice(spans.get(i).start, spans.get(i + 1).start, ""));
            }
        }
        if (kept < spans.size() - 1) {
            splices.add(new Splice(spans.get(kept).end, spans.getLast().end, ""));
        }
    }

    /// Writes back what an entry was: character by character where the text around it is still the same.
    private void restore(Node.Mapping pod, String label, Tree was) {
        var object = objectOf(pod, label);
        if (object == null || was.fields().size() != 1) {
            return;
        }
        var key = was.fields().keySet().iterator().next();
        boolean annotation = label.startsWith("annotations/");
        var entry = object.entry(annotation ? key : "httpGet");
        if (entry == null || (!annotation && !ours(entry.value().tree()))) {
            return; // somebody has changed it since
        }
        var before = original.replaced().get(label);
        boolean same = before != null
                && before.flow() == object.flow()
                && (before.flow() || before.column() == entry.start() - Lines.start(text, entry.start()));
        var value = was.at(key);
        splices.add(new Splice(
                entry.start(),
                entry.end(),
                same && before != null ? before.text() : Insertion.entryText(text, object, entry, key, value, STEP)));
    }

    private static boolean ours(Tree httpGet) {
        var path = httpGet.at("path").text().orElse("");
        return path.startsWith("/app-health/") || path.startsWith("/app-lifecycle/");
    }

    private static Node.@Nullable Mapping objectOf(Node.Mapping pod, String label) {
        var steps = label.split("/", 3);
        if (steps[0].equals("annotations")) {
            return pod.at("metadata", "annotations") instanceof Node.Mapping annotations ? annotations : null;
        }
        if (steps.length == 3 && pod.at("spec", steps[0]) instanceof Node.Sequence containers) {
            for (var container : containers.items()) {
                if (container.tree().at("name").text().orElse("").equals(steps[1])) {
                    return container.at(steps[2].split("/", -1)) instanceof Node.Mapping probe ? probe : null;
                }
            }
        }
        return null;
    }
}
