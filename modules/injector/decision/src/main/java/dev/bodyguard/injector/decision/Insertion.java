package dev.bodyguard.injector.decision;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Writes a decision's edits into the text of a pod, without touching anything else.
///
/// Everything that is added comes first in its object or list, on lines of its own below the key where the author
/// writes blocks, and on one line where he writes braces: so it can be taken out again without a trace.
final class Insertion {
    private final String text;
    private final List<Splice> splices = new ArrayList<>();
    private final Original original = new Original(new LinkedHashMap<>(), new LinkedHashMap<>());
    private final int step;
    private final int dashes;

    private Insertion(String text, Node.Mapping pod) {
        this.text = text;
        var spec = pod.entry("spec");
        this.step = spec != null && spec.value() instanceof Node.Mapping mapping && !mapping.flow()
                ? Math.max(1, column(mapping.entries().getFirst().start()) - column(spec.start()))
                : 2;
        var containers = pod.at("spec") instanceof Node.Mapping mapping ? mapping.entry("containers") : null;
        this.dashes = containers != null && containers.value() instanceof Node.Sequence list && !list.flow()
                ? Math.max(0, column(list.start()) - column(containers.start()))
                : 0;
    }

    /// The splices that make the edits.
    ///
    /// @param podOf what the pod is a field of; null where it stands alone
    static List<Splice> of(String text, Node.Mapping pod, Node.@Nullable Entry podOf, List<Edit> edits) {
        var insertion = new Insertion(text, pod);
        Tree overlay = Tree.obj();
        for (var edit : edits) {
            switch (edit) {
                case Edit.Instead instead -> insertion.replace(pod, instead);
                case Edit.Entries(var object, var entries) -> overlay = with(overlay, object, new Tree.Obj(entries));
                case Edit.ItemsFirst(var list, var items) -> overlay = with(overlay, list, new Tree.Arr(items));
            }
        }
        insertion.rememberEmptied(pod, overlay, "");
        if (!insertion.original.isEmpty()) {
            var annotations =
                    new LinkedHashMap<>(overlay.at("metadata", "annotations").fields());
            annotations.put(Status.ORIGINAL, new Tree.Text(insertion.original.json()));
            overlay = with(overlay, List.of("metadata", "annotations"), new Tree.Obj(annotations));
        }
        insertion.merge(pod, podOf, overlay);
        return insertion.splices;
    }

    private static Tree with(Tree overlay, List<String> path, Tree value) {
        if (path.isEmpty()) {
            return value;
        }
        var fields = new LinkedHashMap<>(overlay.fields());
        fields.put(path.getFirst(), with(overlay.at(path.getFirst()), path.subList(1, path.size()), value));
        return new Tree.Obj(fields);
    }

    private void rememberEmptied(Node.Mapping node, Tree overlay, String path) {
        overlay.fields().forEach((name, more) -> {
            var entry = node.entry(name);
            if (entry == null) {
                return;
            }
            if (entry.value().tree().isNothing()) {
                original.emptied().put(path + name, text.substring(entry.colon(), entry.end()));
            } else if (entry.value() instanceof Node.Mapping mapping) {
                rememberEmptied(mapping, more, path + name + "/");
            }
        });
    }

    private void merge(Node node, Node.@Nullable Entry of, Tree overlay) {
        switch (overlay) {
            case Tree.Obj(var fields) when node instanceof Node.Mapping mapping -> merge(mapping, of, fields);
            case Tree.Arr(var items) when node instanceof Node.Sequence list -> prepend(list, of, items);
            case Tree _ ->
                throw new Unfit(
                        (of == null ? "the pod" : of.key()) + " is of another kind than Kubernetes expects",
                        "mend it first");
        }
    }

    private void merge(Node.Mapping mapping, Node.@Nullable Entry of, Map<String, Tree> fields) {
        var absent = new LinkedHashMap<String, Tree>();
        fields.forEach((name, value) -> {
            var entry = mapping.entry(name);
            if (entry == null) {
                absent.put(name, value);
            } else if (entry.value().tree().isNothing()) {
                splices.add(new Splice(entry.colon(), entry.end(), " " + value.json()));
            } else {
                merge(entry.value(), entry, value);
            }
        });
        if (absent.isEmpty()) {
            return;
        }
        int first = mapping.entries().getFirst().start();
        if (mapping.flow()) {
            var json = new Tree.Obj(absent).json();
            inFlow(mapping, first, json.substring(1, json.length() - 1));
        } else {
            int at = below(of, first);
            splices.add(new Splice(at, at, block(at).fields(absent, indent(first))));
        }
    }

    private void prepend(Node.Sequence list, Node.@Nullable Entry of, List<Tree> items) {
        if (list.flow()) {
            var json = new Tree.Arr(items).json();
            inFlow(list, list.items().getFirst().start(), json.substring(1, json.length() - 1));
        } else {
            int at = below(of, list.start());
            splices.add(new Splice(at, at, block(at).items(items, indent(list.start()))));
        }
    }

    /// Before the first, followed by the same blanks as stand before the first.
    private void inFlow(Node collection, int first, String json) {
        var blanks = text.substring(collection.start() + 1, first);
        splices.add(new Splice(first, first, json + "," + (blanks.isBlank() && !blanks.isEmpty() ? blanks : " ")));
    }

    private void replace(Node.Mapping pod, Edit.Instead instead) {
        if (!(pod.at(instead.object().toArray(String[]::new)) instanceof Node.Mapping object)) {
            return;
        }
        var entry = object.entry(instead.key());
        if (entry == null) {
            return;
        }
        int column = column(entry.start());
        original.replaced()
                .put(
                        instead.label().text(),
                        new Original.Entry(text.substring(entry.start(), entry.end()), column, object.flow()));
        splices.add(new Splice(
                entry.start(), entry.end(), entryText(text, object, entry, instead.newKey(), instead.value(), step)));
    }

    /// An entry in the place of another.
    static String entryText(String text, Node.Mapping object, Node.Entry old, String key, Tree value, int step) {
        if (object.flow()) {
            var json = Tree.obj(key, value).json();
            return json.substring(1, json.length() - 1);
        }
        int line = Lines.start(text, old.start());
        var lineBreak = Lines.breakBefore(text, line);
        var lines = new BlockText(step, 0, lineBreak).field(key, value, " ".repeat(old.start() - line));
        return lines.substring(0, lines.length() - lineBreak.length());
    }

    private BlockText block(int at) {
        return new BlockText(step, dashes, Lines.breakBefore(text, at));
    }

    /// The line below the key of a block.
    private int below(Node.@Nullable Entry of, int first) {
        int at = of == null ? -1 : Lines.next(text, of.colon());
        if (at < 0
                || at > first
                || !text.substring(Lines.start(text, first), first).isBlank()) {
            throw new Unfit(
                    "its text leaves no line for what is to be added" + (of == null ? "" : " under " + of.key()),
                    "write metadata and spec as blocks, each key on a line of its own");
        }
        return at;
    }

    private String indent(int at) {
        return text.substring(Lines.start(text, at), at);
    }

    private int column(int at) {
        return at - Lines.start(text, at);
    }
}
