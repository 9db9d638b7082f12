package dev.bodyguard.injector.decision;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/// Manifests as people write them: every kind of workload, in every style that YAML allows and Kubernetes takes.
final class Corpus {
    private final RandomGenerator random;
    private int step;
    private int dashes;
    private String lineBreak = "\n";
    private boolean comments;

    Corpus(RandomGenerator random) {
        this.random = random;
    }

    /// One text of one to four documents.
    String text() {
        step = 2 + random.nextInt(3);
        dashes = random.nextBoolean() ? 0 : step;
        lineBreak = random.nextInt(4) == 0 ? "\r\n" : "\n";
        comments = random.nextBoolean();
        if (random.nextInt(6) == 0) {
            return json();
        }
        var out = new StringBuilder();
        if (random.nextInt(12) == 0) {
            out.append('\uFEFF');
        }
        int documents = 1 + random.nextInt(4);
        for (int i = 0; i < documents; i++) {
            if (i > 0 || random.nextBoolean()) {
                out.append("---")
                        .append(random.nextInt(3) == 0 ? " # next" : "")
                        .append(lineBreak);
            }
            comment(out, "");
            out.append(fields(object(0).fields(), "", false));
            if (i < documents - 1 && random.nextInt(5) == 0) {
                out.append("...").append(lineBreak);
            }
        }
        if (random.nextInt(4) == 0) {
            while (out.charAt(out.length() - 1) <= ' ') {
                out.setLength(out.length() - 1);
            }
        }
        return out.toString();
    }

    private String json() {
        var tree = object(0);
        return switch (random.nextInt(3)) {
            case 0 -> tree.json();
            case 1 -> pretty(tree, "", "  ") + lineBreak;
            default -> pretty(tree, "", "\t") + lineBreak;
        };
    }

    private String pretty(Tree tree, String indent, String by) {
        var deeper = lineBreak + indent + by;
        return switch (tree) {
            case Tree.Obj(var fields)
            when !fields.isEmpty() ->
                fields.entrySet().stream()
                        .map(field ->
                                new Tree.Text(field.getKey()).json() + ": " + pretty(field.getValue(), indent + by, by))
                        .collect(java.util.stream.Collectors.joining(
                                "," + deeper, "{" + deeper, lineBreak + indent + "}"));
            case Tree.Arr(var items)
            when !items.isEmpty() ->
                items.stream()
                        .map(item -> pretty(item, indent + by, by))
                        .collect(java.util.stream.Collectors.joining(
                                "," + deeper, "[" + deeper, lineBreak + indent + "]"));
            case Tree other -> other.json();
        };
    }

    // --- objects ---

    private Tree object(int depth) {
        var metadata = new LinkedHashMap<String, Tree>();
        metadata.put("name", new Tree.Text("app-" + random.nextInt(100)));
        return switch (random.nextInt(depth == 0 ? 9 : 8)) {
            case 0 -> {
                var pod = new LinkedHashMap<String, Tree>(
                        Tree.obj("apiVersion", "v1", "kind", "Pod").fields());
                extend(metadata);
                pod.put("metadata", new Tree.Obj(metadata));
                pod.put("spec", spec());
                yield new Tree.Obj(pod);
            }
            case 1 ->
                Tree.obj(
                        "apiVersion",
                        "v1",
                        "kind",
                        "Service",
                        "metadata",
                        new Tree.Obj(metadata),
                        "spec",
                        Tree.obj("ports", Tree.arr(Tree.obj("port", 80))));
            case 2 ->
                Tree.obj(
                        "apiVersion",
                        "batch/v1",
                        "kind",
                        "CronJob",
                        "metadata",
                        new Tree.Obj(metadata),
                        "spec",
                        Tree.obj(
                                "schedule",
                                "*/5 * * * *",
                                "jobTemplate",
                                Tree.obj("spec", Tree.obj("template", template()))));
            case 3 ->
                Tree.obj(
                        "apiVersion",
                        "batch/v1",
                        "kind",
                        "Job",
                        "metadata",
                        new Tree.Obj(metadata),
                        "spec",
                        Tree.obj("template", template(), "backoffLimit", 3));
            case 8 -> {
                var items = new ArrayList<Tree>();
                for (int i = random.nextInt(3); i >= 0; i--) {
                    items.add(object(depth + 1));
                }
                yield Tree.obj("apiVersion", "v1", "kind", "List", "items", new Tree.Arr(items));
            }
            default ->
                Tree.obj(
                        "apiVersion",
                        "apps/v1",
                        "kind",
                        List.of("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
                                .get(random.nextInt(4)),
                        "metadata",
                        new Tree.Obj(metadata),
                        "spec",
                        Tree.obj("selector", Tree.obj("matchLabels", Tree.obj("app", "x")), "template", template()));
        };
    }

    private Tree template() {
        var template = new LinkedHashMap<String, Tree>();
        var metadata = new LinkedHashMap<String, Tree>();
        extend(metadata);
        switch (random.nextInt(5)) {
            case 0 -> {}
            case 1 -> template.put("metadata", nothing());
            default -> template.put("metadata", metadata.isEmpty() ? nothing() : new Tree.Obj(metadata));
        }
        if (random.nextBoolean()) {
            template.put("spec", spec());
        } else {
            template.putFirst("spec", spec());
        }
        return new Tree.Obj(template);
    }

    private void extend(Map<String, Tree> metadata) {
        var labels = Tree.obj("app", "x", "tier", "back end", "emoji", "🚀");
        var annotations = random.nextBoolean()
                ? Tree.obj(
                        "note", "it's \"quoted\": {yes}", "prometheus.io/scrape", "true", "prometheus.io/port", "8080")
                : Tree.obj("checksum/config", "0123", "long", "one\ntwo\n");
        maybe(metadata, "labels", labels);
        maybe(metadata, "annotations", annotations);
        if (random.nextInt(4) == 0) {
            metadata.put("creationTimestamp", Tree.Word.NULL);
        }
    }

    private Tree spec() {
        var spec = new LinkedHashMap<String, Tree>();
        maybe(spec, "initContainers", Tree.arr(Tree.obj("name", "setup", "image", "busybox:1")));
        var containers = new ArrayList<Tree>();
        for (int i = random.nextInt(3); i >= 0; i--) {
            containers.add(container("c" + i));
        }
        spec.put("containers", new Tree.Arr(containers));
        maybe(spec, "volumes", Tree.arr(Tree.obj("name", "data", "emptyDir", Tree.obj())));
        if (random.nextBoolean()) {
            spec.putFirst("serviceAccountName", new Tree.Text("x"));
        }
        return new Tree.Obj(spec);
    }

    private Tree container(String name) {
        var container = new LinkedHashMap<String, Tree>(
                Tree.obj("name", name, "image", "a/b:1").fields());
        if (random.nextBoolean()) {
            container.put("ports", Tree.arr(Tree.obj("name", "web", "containerPort", 8080)));
            container.put(
                    "readinessProbe",
                    Tree.obj(
                            "httpGet",
                            Tree.obj("path", "/ready", "port", random.nextBoolean() ? "web" : "8080"),
                            "periodSeconds",
                            3));
            if (container
                    .get("readinessProbe")
                    .at("httpGet", "port")
                    .text()
                    .orElse("")
                    .equals("8080")) {
                container.put("readinessProbe", Tree.obj("httpGet", Tree.obj("port", 8080)));
            }
        }
        switch (random.nextInt(4)) {
            case 0 ->
                container.put("livenessProbe", Tree.obj("tcpSocket", Tree.obj("port", 8080), "timeoutSeconds", 2));
            case 1 ->
                container.put("livenessProbe", Tree.obj("initialDelaySeconds", 1, "grpc", Tree.obj("port", 9090)));
            case 2 -> container.put("livenessProbe", Tree.obj("exec", Tree.obj("command", Tree.arr("true"))));
            default -> {}
        }
        if (random.nextInt(3) == 0) {
            container.put(
                    "lifecycle", Tree.obj("preStop", Tree.obj("httpGet", Tree.obj("path", "/stop", "port", 8080))));
        }
        return new Tree.Obj(container);
    }

    private void maybe(Map<String, Tree> object, String name, Tree value) {
        switch (random.nextInt(4)) {
            case 0 -> {}
            case 1 ->
                object.put(
                        name,
                        !(value instanceof Tree.Arr) ? nothing() : random.nextBoolean() ? Tree.arr() : Tree.Word.NULL);
            default -> object.put(name, value);
        }
    }

    private Tree nothing() {
        return random.nextBoolean() ? Tree.Word.NULL : Tree.obj();
    }

    // --- style ---

    private String fields(Map<String, Tree> fields, String indent, boolean firstInline) {
        var out = new StringBuilder();
        boolean inline = firstInline;
        for (var field : fields.entrySet()) {
            if (!inline) {
                comment(out, indent);
                out.append(indent);
            }
            inline = false;
            out.append(field(field.getKey(), field.getValue(), indent));
        }
        return out.toString();
    }

    private String field(String name, Tree value, String indent) {
        var key = key(name) + ":";
        int style = random.nextInt(14);
        return switch (value) {
            case Tree other
            when other.isNothing() ->
                key
                        + switch (value) {
                            case Tree.Word _ -> List.of("", " null", " ~").get(random.nextInt(3));
                            case Tree _ -> (random.nextInt(4) == 0 ? "   " : " ") + value.json();
                        }
                        + end();
            case Tree.Obj(var fields) when style > 1 -> key + end() + fields(fields, indent + " ".repeat(step), false);
            case Tree.Arr(var items) when style > 1 -> key + end() + items(items, indent + " ".repeat(dashes));
            case Tree.Text(var text)
            when text.contains("\n") ->
                key + " |" + lineBreak
                        + text.lines()
                                .map(line -> indent + "  " + line + lineBreak)
                                .collect(java.util.stream.Collectors.joining());
            case Tree.Text _, Tree.Word _ -> key + " " + scalar(value) + end();
            case Tree _ -> key + " " + flow(value) + end();
        };
    }

    private String items(List<Tree> items, String indent) {
        var out = new StringBuilder();
        for (var item : items) {
            comment(out, indent);
            out.append(indent).append("- ");
            if (item instanceof Tree.Obj(var fields) && random.nextInt(8) > 0) {
                out.append(fields(fields, indent + "  ", true));
            } else {
                out.append(item instanceof Tree.Text ? scalar(item) : flow(item))
                        .append(end());
            }
        }
        return out.toString();
    }

    private String flow(Tree tree) {
        var pad = random.nextBoolean() ? " " : "";
        return switch (tree) {
            case Tree.Obj(var fields) ->
                fields.entrySet().stream()
                        .map(field -> key(field.getKey()) + ": " + flow(field.getValue()))
                        .collect(java.util.stream.Collectors.joining(", ", "{" + pad, pad + "}"));
            case Tree.Arr(var items) ->
                items.stream().map(this::flow).collect(java.util.stream.Collectors.joining(", ", "[" + pad, pad + "]"));
            case Tree.Text _ -> tree.json();
            case Tree.Word(var json) -> json;
        };
    }

    private String key(String name) {
        return random.nextInt(10) == 0 ? "\"" + name + "\"" : name;
    }

    private String scalar(Tree value) {
        if (value instanceof Tree.Text(var text)) {
            boolean plain = text.matches("[a-z/][a-z0-9/:🚀-]*");
            return switch (random.nextInt(3)) {
                case 0 -> "'" + text.replace("'", "''") + "'";
                case 1 -> value.json();
                default -> plain ? text : value.json();
            };
        }
        return value.json();
    }

    private String end() {
        var blanks = random.nextInt(10) == 0 ? "  " : "";
        return (comments && random.nextInt(8) == 0 ? " # why: because" : blanks) + lineBreak;
    }

    private void comment(StringBuilder out, String indent) {
        if (comments && random.nextInt(6) == 0) {
            out.append(random.nextBoolean() ? indent + "# a comment, ünicode 🚀: here" : "")
                    .append(lineBreak);
        }
    }
}
