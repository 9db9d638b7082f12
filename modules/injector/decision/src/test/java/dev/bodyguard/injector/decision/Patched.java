package dev.bodyguard.injector.decision;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.TreeMap;

/// What an API server makes of a JSON patch (RFC 6902), as far as ours go: `add` and `remove`.
final class Patched {
    private Patched() {}

    static Tree apply(Tree pod, Tree patch) {
        for (var operation : patch.items()) {
            var steps = operation.at("path").text().orElseThrow().substring(1).split("/", -1);
            pod = apply(pod, steps, 0, operation);
        }
        return pod;
    }

    private static Tree apply(Tree here, String[] steps, int depth, Tree operation) {
        var step = steps[depth].replace("~1", "/").replace("~0", "~");
        boolean last = depth == steps.length - 1;
        boolean add = operation.at("op").text().orElseThrow().equals("add");
        return switch (here) {
            case Tree.Obj(var fields) -> {
                var changed = new LinkedHashMap<>(fields);
                if (!last) {
                    if (!changed.containsKey(step)) {
                        throw new AssertionError("no " + step + " for " + operation.json());
                    }
                    changed.put(step, apply(changed.get(step), steps, depth + 1, operation));
                } else if (add) {
                    changed.put(step, operation.at("value"));
                } else if (changed.remove(step) == null) {
                    throw new AssertionError("nothing to remove: " + operation.json());
                }
                yield new Tree.Obj(changed);
            }
            case Tree.Arr(var items) -> {
                var changed = new ArrayList<>(items);
                int index = Integer.parseInt(step);
                if (!last) {
                    changed.set(index, apply(changed.get(index), steps, depth + 1, operation));
                } else if (add) {
                    changed.add(index, operation.at("value"));
                } else {
                    changed.remove(index);
                }
                yield new Tree.Arr(changed);
            }
            case Tree other -> throw new AssertionError("no place in " + other.json() + " for " + operation.json());
        };
    }

    static Tree withoutOriginal(Tree pod) {
        var annotations = new LinkedHashMap<>(pod.at("metadata", "annotations").fields());
        annotations.remove(Status.ORIGINAL);
        return with(pod, "metadata", with(pod.at("metadata"), "annotations", new Tree.Obj(annotations)));
    }

    static Tree named(Tree metadata) {
        return with(metadata, "name", new Tree.Text("x"));
    }

    private static Tree with(Tree object, String name, Tree value) {
        var fields = new LinkedHashMap<>(object.fields());
        fields.put(name, value);
        return new Tree.Obj(fields);
    }

    /// Fields in the order of their names.
    static Tree sorted(Tree tree) {
        return switch (tree) {
            case Tree.Obj(var fields) -> {
                var sorted = new TreeMap<String, Tree>();
                fields.forEach((name, value) -> sorted.put(name, sorted(value)));
                yield new Tree.Obj(sorted);
            }
            case Tree.Arr(var items) ->
                new Tree.Arr(items.stream().map(Patched::sorted).toList());
            case Tree other -> other;
        };
    }

    /// Without the fields that say nothing, sorted: what an API server keeps.
    static Tree said(Tree tree) {
        return switch (tree) {
            case Tree.Obj(var fields) -> {
                var said = new TreeMap<String, Tree>();
                fields.forEach((name, value) -> {
                    if (!value.isNothing()) {
                        said.put(name, said(value));
                    }
                });
                yield new Tree.Obj(said);
            }
            case Tree.Arr(var items) ->
                new Tree.Arr(items.stream().map(Patched::said).toList());
            case Tree other -> other;
        };
    }
}
