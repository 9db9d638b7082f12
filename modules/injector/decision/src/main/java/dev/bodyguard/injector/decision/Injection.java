package dev.bodyguard.injector.decision;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Decides whether a pod gets a sidecar, and which edits give it one. The same for the webhook and the command line.
///
/// @param sidecar what is injected
public record Injection(Sidecar sidecar) {
    private static final String SCRAPE = "prometheus.io/scrape";
    private static final String SCRAPE_PORT = "prometheus.io/port";
    private static final String SCRAPE_PATH = "prometheus.io/path";
    private static final String SCRAPE_SCHEME = "prometheus.io/scheme";
    private static final String DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container";
    private static final String CANONICAL_NAME = "service.istio.io/canonical-name";
    private static final String CANONICAL_REVISION = "service.istio.io/canonical-revision";

    public Injection {
        Objects.requireNonNull(sidecar);
    }

    /// Decides on one pod.
    ///
    /// @param pod or the template of one: `metadata` and `spec`
    /// @param workload whose pod it is, such as the Deployment's name
    public Decision decide(Tree pod, String workload, Namespace namespace) {
        try {
            return decision(new App(pod), workload, namespace);
        } catch (Unfit unfit) {
            return unfit.refused();
        }
    }

    private Decision decision(App app, String workload, Namespace namespace) {
        var wish = OptIn.of(app.labels(), app.annotations(), namespace, sidecar.revision());
        if (wish instanceof OptIn.Declined(var by)) {
            return new Decision.NotAsked(by);
        }
        if (wish instanceof OptIn.AskedAnother(var by, var revision)) {
            return new Decision.Another(by, revision, sidecar.revision());
        }
        if (wish instanceof OptIn.Silent) {
            return new Decision.NotAsked("neither the pod nor namespace " + namespace.name() + " asks for a sidecar");
        }
        if (Namespace.NEVER.contains(namespace.name())) {
            throw new Unfit(
                    "pods of namespace " + namespace.name() + " never get a sidecar",
                    "move it to another namespace, or take back the wish");
        }
        var status = Status.in(app.pod());
        if (status != null) {
            if (status.holds(app.pod())) {
                return new Decision.Already(status.revision());
            }
            throw new Unfit(
                    "annotation " + Status.ANNOTATION + " tells of a sidecar that is not there",
                    "remove the annotation, or inject into the original");
        }
        app.requireFit(sidecar);
        return injected(app, workload, namespace);
    }

    private Decision injected(App app, String workload, Namespace namespace) {
        var wanted = new Wanted(app.annotations(), namespace);
        var shape = shape(wanted);
        var warnings = new ArrayList<>(Annotations.ignored(wanted.all(), app.labels(), namespace));
        app.nameService().ifPresent(warnings::add);
        int status = wanted.number(Annotations.STATUS_PORT, Containers.STATUS_PORT);
        if (status != 0 && status != Containers.STATUS_PORT) {
            warnings.add(Annotations.STATUS_PORT + "=" + status + " is ignored: the sidecar tells at port "
                    + Containers.STATUS_PORT + " whether it is ready; only 0 is obeyed, which asks for no probe");
        }
        if (shape == Sidecar.Shape.CLASSIC) {
            requireEndless(app);
            if (!app.initContainers().isEmpty()) {
                warnings.add("its init containers have no network before the sidecar runs, which a classic sidecar does"
                        + " only after them");
            }
        }
        if ("ingress".equals(wanted.text(OptIn.LINKERD).orElse(""))) {
            warnings.add(OptIn.LINKERD + "=ingress means the same as enabled here");
        }
        var probes = Probes.of(app, wanted.truth(Annotations.REWRITE_PROBES, true));
        var containers = new Containers(app, wanted, sidecar, shape);
        var metrics = Metrics.of(app, wanted);
        var was = new LinkedHashMap<>(probes.was());
        was.putAll(metrics.was());

        var edits = new ArrayList<Edit>(probes.edits());
        edits.addAll(metrics.edits());
        var annotations = new LinkedHashMap<>(metrics.added());
        var first = app.containers().getFirst().at("name");
        if (shape == Sidecar.Shape.CLASSIC && !app.annotations().containsKey(DEFAULT_CONTAINER)) {
            annotations.put(DEFAULT_CONTAINER, first);
        }
        var labels = labels(app, workload);
        boolean isNative = shape == Sidecar.Shape.NATIVE;
        var note = new Status(
                sidecar.revision(),
                isNative ? List.of() : List.of(Status.PROXY),
                isNative ? List.of(Status.INIT, Status.PROXY) : List.of(Status.INIT),
                containers.volumeNames(),
                List.copyOf(annotations.keySet()),
                List.copyOf(labels.keySet()),
                was);
        annotations.putFirst(Status.ANNOTATION, new Tree.Text(note.json()));
        edits.add(new Edit.Entries(List.of("metadata", "annotations"), annotations));
        edits.add(new Edit.Entries(List.of("metadata", "labels"), labels));
        var proxy = containers.proxy(probes.originals(), metrics.app());
        edits.add(new Edit.ItemsFirst(
                List.of("spec", "initContainers"),
                isNative ? List.of(containers.init(), proxy) : List.of(containers.init())));
        if (!isNative) {
            edits.add(new Edit.ItemsFirst(List.of("spec", "containers"), List.of(proxy)));
        }
        edits.add(new Edit.ItemsFirst(List.of("spec", "volumes"), containers.volumes()));
        return new Decision.Injected(edits, warnings);
    }

    private Sidecar.Shape shape(Wanted wanted) {
        boolean isNative = sidecar.shape() == Sidecar.Shape.NATIVE;
        for (String name : Annotations.NATIVE_LINKERD) {
            isNative = wanted.truth(name, isNative);
        }
        return wanted.truth(Annotations.NATIVE, isNative) ? Sidecar.Shape.NATIVE : Sidecar.Shape.CLASSIC;
    }

    private static void requireEndless(App app) {
        var restart = app.pod().at("spec", "restartPolicy").text().orElse("Always");
        if (!restart.equals("Always")) {
            throw new Unfit(
                    "restartPolicy " + restart + ": it is to finish, which it never would beside a classic sidecar",
                    "use the native sidecar (Kubernetes 1.29 and later): remove " + Annotations.NATIVE
                            + "=false and the like");
        }
    }

    private Map<String, Tree> labels(App app, String workload) {
        var has = app.labels();
        var labels = new LinkedHashMap<String, Tree>();
        if (!has.containsKey("bodyguard.dev/rev")) {
            labels.put("bodyguard.dev/rev", new Tree.Text(sidecar.revision()));
        }
        if (!has.containsKey(CANONICAL_NAME)) {
            var name = has.getOrDefault("app.kubernetes.io/name", has.getOrDefault("app", workload));
            labels.put(CANONICAL_NAME, new Tree.Text(label(name)));
        }
        if (!has.containsKey(CANONICAL_REVISION)) {
            labels.put(
                    CANONICAL_REVISION,
                    new Tree.Text(
                            has.getOrDefault("app.kubernetes.io/version", has.getOrDefault("version", "latest"))));
        }
        return labels;
    }

    /// A label's value has 63 characters, and ends with a letter or digit.
    private static String label(String name) {
        var cut = name.length() > 63 ? name.substring(0, 63) : name;
        return cut.replaceAll("[^A-Za-z0-9]+$", "");
    }

    /// Where Prometheus looks: at the sidecar, which tells the app's metrics beside its own.
    ///
    /// @param app where the app tells its own; empty if it tells none
    private record Metrics(String app, List<Edit> edits, Map<String, Tree> added, Map<String, Tree> was) {
        static Metrics of(App app, Wanted wanted) {
            var has = app.annotations();
            var metrics =
                    new Metrics(appMetrics(has, app), new ArrayList<>(), new LinkedHashMap<>(), new LinkedHashMap<>());
            // Whoever says "false" is not to be scraped at all.
            if (has.getOrDefault(SCRAPE, "true").equals("true") && wanted.truth(Annotations.MERGE_METRICS, true)) {
                metrics.say(has, SCRAPE, "true");
                metrics.say(has, SCRAPE_PORT, "15020");
                metrics.say(has, SCRAPE_PATH, "/metrics");
                if (has.containsKey(SCRAPE_SCHEME)) {
                    metrics.say(has, SCRAPE_SCHEME, "http");
                }
                return metrics;
            }
            return new Metrics("", List.of(), Map.of(), Map.of());
        }

        private static String appMetrics(Map<String, String> has, App app) {
            if (!has.containsKey(SCRAPE)) {
                return "";
            }
            var port = has.getOrDefault(
                    SCRAPE_PORT, app.ports().stream().findFirst().orElse("80"));
            var path = has.getOrDefault(SCRAPE_PATH, "/metrics");
            if (!port.matches("[0-9]{1,5}")) {
                throw Wanted.wrong(SCRAPE_PORT, port, "a port");
            }
            return has.getOrDefault(SCRAPE_SCHEME, "http") + "://127.0.0.1:" + port + (path.startsWith("/") ? "" : "/")
                    + path;
        }

        private void say(Map<String, String> has, String name, String value) {
            if (!has.containsKey(name)) {
                added.put(name, new Tree.Text(value));
            } else if (!has.get(name).equals(value)) {
                var label = new Edit.Label("annotations/" + name);
                edits.add(
                        new Edit.Instead(List.of("metadata", "annotations"), name, name, new Tree.Text(value), label));
                was.put(label.text(), Tree.obj(name, has.get(name)));
            }
        }
    }
}
