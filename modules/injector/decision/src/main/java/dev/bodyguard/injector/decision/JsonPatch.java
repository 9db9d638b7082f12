package dev.bodyguard.injector.decision;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;

/// Edits as a JSON patch (RFC 6902) of the pod they were decided for.
public final class JsonPatch {
    private JsonPatch() {}

    /// An array of operations.
    public static Tree.Arr of(Tree pod, List<Edit> edits) {
        var operations = new ArrayList<Tree>();
        // What an earlier operation has made already.
        var made = new ArrayList<List<String>>();
        for (var edit : edits) {
            switch (edit) {
                case Edit.Entries(var object, var entries) -> {
                    if (is(pod, object, made)) {
                        entries.forEach((name, value) -> operations.add(operation("add", path(object, name), value)));
                    } else {
                        add(pod, object, new Tree.Obj(entries), operations, made);
                    }
                }
                case Edit.ItemsFirst(var list, var items) -> {
                    if (is(pod, list, made)) {
                        for (int i = 0; i < items.size(); i++) {
                            operations.add(operation("add", path(list, String.valueOf(i)), items.get(i)));
                        }
                    } else {
                        add(pod, list, new Tree.Arr(items), operations, made);
                    }
                }
                case Edit.Instead(var object, var key, var newKey, var value, var _) -> {
                    if (!key.equals(newKey)) {
                        operations.add(Tree.obj("op", "remove", "path", path(object, key)));
                    }
                    operations.add(operation("add", path(object, newKey), value));
                }
            }
        }
        return new Tree.Arr(operations);
    }

    private static boolean is(Tree pod, List<String> path, List<List<String>> made) {
        return made.contains(path) || !pod.at(path.toArray(String[]::new)).isNothing();
    }

    /// Adds a value together with the objects above it that are not there.
    private static void add(Tree pod, List<String> path, Tree value, List<Tree> operations, List<List<String>> made) {
        int there = path.size() - 1;
        while (there > 0 && !is(pod, path.subList(0, there), made)) {
            there--;
        }
        Tree whole = value;
        for (int i = path.size() - 1; i > there; i--) {
            var above = new LinkedHashMap<String, Tree>();
            above.put(path.get(i), whole);
            whole = new Tree.Obj(above);
        }
        for (int i = there + 1; i <= path.size(); i++) {
            made.add(List.copyOf(path.subList(0, i)));
        }
        operations.add(operation("add", path(path.subList(0, there), path.get(there)), whole));
    }

    private static Tree operation(String op, String path, Tree value) {
        return Tree.obj("op", op, "path", path, "value", value);
    }

    private static String path(List<String> object, String name) {
        var path = new StringBuilder();
        for (String step : object) {
            path.append('/').append(escaped(step));
        }
        return path.append('/').append(escaped(name)).toString();
    }

    /// RFC 6901 §3.
    private static String escaped(String step) {
        return step.replace("~", "~0").replace("/", "~1");
    }
}
