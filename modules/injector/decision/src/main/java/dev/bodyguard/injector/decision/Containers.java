package dev.bodyguard.injector.decision;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The containers and volumes that are added to one pod.
final class Containers {
    static final List<String> VOLUMES =
            List.of("bodyguard-token", "bodyguard-root", "bodyguard-state", "bodyguard-podinfo", "bodyguard-tmp");

    /// Begins the name of each volume with a certificate of the app's own.
    static final String CERTIFICATE = "bodyguard-certificate-";

    /// User and group of the sidecar.
    static final int USER = 1337;

    /// Where the sidecar says whether it is ready.
    static final int STATUS_PORT = 15021;

    private static final String IN_PROXY = "15020,15021,15090,15000-15001,15006";

    private final App app;
    private final Wanted wanted;
    private final Sidecar sidecar;
    private final Sidecar.Shape shape;
    private final String mode;
    private final List<String> certificates;

    Containers(App app, Wanted wanted, Sidecar sidecar, Sidecar.Shape shape) {
        this.app = app;
        this.wanted = wanted;
        this.sidecar = sidecar;
        this.shape = shape;
        this.mode = mode(wanted);
        this.certificates = List.copyOf(wanted.names(Annotations.CERTIFICATES));
    }

    private static String mode(Wanted wanted) {
        var mode = wanted.text(Annotations.MODE).orElse("REDIRECT");
        return switch (mode) {
            case "REDIRECT", "TPROXY" -> mode;
            case "NONE" ->
                throw new Unfit(
                        "annotation " + Annotations.MODE + "=NONE asks for a sidecar without capture, which would do"
                                + " nothing here",
                        "decline with " + OptIn.OWN + "=disabled; or remove it, and narrow capture by the annotations "
                                + Annotations.IN_PORTS + " and " + Annotations.OUT_RANGES);
            case String _ -> throw Wanted.wrong(Annotations.MODE, mode, "REDIRECT or TPROXY");
        };
    }

    /// Sets up capture, and ends.
    Tree init() {
        return Tree.obj(
                "name", Status.INIT,
                "image", sidecar.image("init"),
                "imagePullPolicy", "IfNotPresent",
                "env", env(capture()),
                "securityContext",
                        Tree.obj(
                                "allowPrivilegeEscalation",
                                false,
                                "capabilities",
                                Tree.obj("drop", Tree.arr("ALL"), "add", Tree.arr("NET_ADMIN", "NET_RAW")),
                                "privileged",
                                false,
                                "readOnlyRootFilesystem",
                                true,
                                "runAsGroup",
                                0,
                                "runAsNonRoot",
                                false,
                                "runAsUser",
                                0,
                                "seccompProfile",
                                Tree.obj("type", "RuntimeDefault")),
                "resources",
                        Tree.obj(
                                "requests", Tree.obj("cpu", "10m", "memory", "16Mi"),
                                "limits", Tree.obj("memory", "64Mi")));
    }

    private Map<String, String> capture() {
        var env = new LinkedHashMap<String, String>();
        env.put("CAPTURE_MODE", mode);
        // An empty annotation says "none".
        var inbound = wanted.says(Annotations.IN_PORTS) ? wanted.portsOrAll(Annotations.IN_PORTS) : Set.of("*");
        env.put("CAPTURE_INBOUND_PORTS", String.join(",", inbound));
        env.put(
                "CAPTURE_EXCLUDE_INBOUND_PORTS",
                joined(IN_PROXY, wanted.ports(Annotations.NOT_IN_PORTS, Annotations.NOT_IN_PORTS_LINKERD)));
        env.put("CAPTURE_OUTBOUND_PORTS", String.join(",", wanted.portsOrAll(Annotations.OUT_PORTS)));
        var excluded = wanted.ports(Annotations.NOT_OUT_PORTS, Annotations.NOT_OUT_PORTS_LINKERD);
        env.put("CAPTURE_EXCLUDE_OUTBOUND_PORTS", String.join(",", excluded));
        var ranges = wanted.says(Annotations.OUT_RANGES) ? wanted.rangesOrAll(Annotations.OUT_RANGES) : Set.of("*");
        env.put("CAPTURE_OUTBOUND_CIDRS", String.join(",", ranges));
        env.put(
                "CAPTURE_EXCLUDE_OUTBOUND_CIDRS",
                String.join(",", wanted.ranges(Annotations.NOT_OUT_RANGES, Annotations.NOT_OUT_RANGES_LINKERD)));
        // Loopback is in no range that is listed.
        env.put("CAPTURE_LOOPBACK_PORTS", String.join(",", ranges.contains("*") ? loopback(excluded) : Set.of()));
        env.put("CAPTURE_UID", String.valueOf(USER));
        env.put("CAPTURE_INBOUND_TO", "15006");
        env.put("CAPTURE_OUTBOUND_TO", "15001");
        return env;
    }

    /// What an app may call on 127.0.0.1 and means the mesh, unless it listens there itself.
    private Set<String> loopback(Set<String> excluded) {
        var ports = new LinkedHashSet<>(List.of("80", "443"));
        ports.removeAll(app.ports());
        ports.removeAll(excluded);
        return ports;
    }

    private static String joined(String first, Set<String> more) {
        var all = new LinkedHashSet<>(List.of(first));
        all.addAll(more);
        return String.join(",", all);
    }

    /// The sidecar.
    ///
    /// @param probes originals by the path that stands for them now
    /// @param appMetrics where the app tells its own metrics; empty if it tells none
    Tree proxy(Map<String, Tree> probes, String appMetrics) {
        boolean watched = wanted.number(Annotations.STATUS_PORT, STATUS_PORT) != 0;
        var fields = new LinkedHashMap<String, Tree>();
        fields.put("name", new Tree.Text(Status.PROXY));
        fields.put("image", new Tree.Text(sidecar.image("sidecar")));
        fields.put("imagePullPolicy", new Tree.Text("IfNotPresent"));
        if (shape == Sidecar.Shape.NATIVE) {
            fields.put("restartPolicy", new Tree.Text("Always"));
        }
        fields.put("env", proxyEnv(probes, appMetrics));
        fields.put("ports", Tree.arr(Tree.obj("name", "http-bodyguard", "containerPort", 15090, "protocol", "TCP")));
        if (watched) {
            if (shape == Sidecar.Shape.NATIVE) {
                fields.put("startupProbe", ready(0, 1, 600));
            }
            fields.put(
                    "readinessProbe",
                    ready(
                            wanted.number(Annotations.READY_DELAY, 0),
                            wanted.number(Annotations.READY_PERIOD, 5),
                            wanted.number(Annotations.READY_FAILURES, 4)));
        }
        if (shape == Sidecar.Shape.CLASSIC) {
            // The kubelet starts the next container once this has ended.
            fields.put(
                    "lifecycle",
                    Tree.obj(
                            "postStart",
                            Tree.obj(
                                    "exec",
                                    Tree.obj("command", Tree.arr("/opt/java/bin/java", "@/app/conf/wait.args")))));
        }
        fields.put("resources", resources());
        fields.put("securityContext", security());
        fields.put("volumeMounts", new Tree.Arr(mounts()));
        return new Tree.Obj(fields);
    }

    private List<Tree> mounts() {
        var mounts = new ArrayList<Tree>();
        mounts.add(mount("bodyguard-token", "/var/run/secrets/bodyguard", true));
        mounts.add(mount("bodyguard-root", "/var/run/bodyguard/root", true));
        mounts.add(mount("bodyguard-state", "/var/lib/bodyguard", false));
        mounts.add(mount("bodyguard-podinfo", "/etc/bodyguard/pod", true));
        mounts.add(mount("bodyguard-tmp", "/tmp", false));
        for (int i = 0; i < certificates.size(); i++) {
            mounts.add(mount(CERTIFICATE + i, "/var/run/bodyguard/certificates/" + certificates.get(i), true));
        }
        return mounts;
    }

    List<String> volumeNames() {
        var names = new ArrayList<>(VOLUMES);
        for (int i = 0; i < certificates.size(); i++) {
            names.add(CERTIFICATE + i);
        }
        return names;
    }

    private Tree proxyEnv(Map<String, Tree> probes, String appMetrics) {
        var told = new LinkedHashMap<String, String>();
        told.put("BODYGUARD_REVISION", sidecar.revision());
        told.put("BODYGUARD_TRUST_DOMAIN", sidecar.trustDomain());
        told.put("BODYGUARD_IDENTITY", "bodyguard-identity." + Sidecar.NAMESPACE + ".svc:15013");
        told.put("BODYGUARD_CONFIG", "bodyguard-config." + Sidecar.NAMESPACE + ".svc:15012");
        told.put("BODYGUARD_TELEMETRY", "bodyguard-telemetry." + Sidecar.NAMESPACE + ".svc:15018");
        told.put("BODYGUARD_STATE", "/var/lib/bodyguard");
        told.put("BODYGUARD_TOKEN", "/var/run/secrets/bodyguard/token");
        told.put("BODYGUARD_ROOT", "/var/run/bodyguard/root/root.pem");
        told.put("BODYGUARD_PODINFO", "/etc/bodyguard/pod");
        told.put("BODYGUARD_CAPTURE", mode);
        told.put("BODYGUARD_TRACE_SAMPLING", sidecar.defaults().traceSampling());
        told.put("BODYGUARD_APP_PORTS", String.join(",", app.ports()));
        if (!probes.isEmpty()) {
            told.put("BODYGUARD_PROBES", new Tree.Obj(probes).json());
        }
        if (!appMetrics.isEmpty()) {
            told.put("BODYGUARD_APP_METRICS", appMetrics);
        }
        var env = new ArrayList<Tree>();
        env.add(field("POD_NAME", "metadata.name"));
        env.add(field("POD_NAMESPACE", "metadata.namespace"));
        env.add(field("POD_IPS", "status.podIPs"));
        env.add(field("SERVICE_ACCOUNT", "spec.serviceAccountName"));
        env.addAll(env(told).items());
        return new Tree.Arr(env);
    }

    private Tree resources() {
        var usual = sidecar.defaults();
        var cpu = wanted.bounds(
                new Wanted.Bounds(usual.cpu(), usual.cpuLimit()),
                List.of(Annotations.CPU, Annotations.CPU_LINKERD),
                List.of(Annotations.CPU_LIMIT, Annotations.CPU_LIMIT_LINKERD));
        var memory = wanted.bounds(
                new Wanted.Bounds(usual.memory(), usual.memoryLimit()),
                List.of(Annotations.MEMORY, Annotations.MEMORY_LINKERD),
                List.of(Annotations.MEMORY_LIMIT, Annotations.MEMORY_LIMIT_LINKERD));
        return Tree.obj(
                "requests",
                Tree.obj("cpu", cpu.request(), "memory", memory.request()),
                "limits",
                cpu.limit().isEmpty()
                        ? Tree.obj("memory", memory.limit())
                        : Tree.obj("cpu", cpu.limit(), "memory", memory.limit()));
    }

    private Tree security() {
        // TPROXY needs a privilege at the socket that only root is given by a container runtime.
        boolean transparent = mode.equals("TPROXY");
        return Tree.obj(
                "allowPrivilegeEscalation",
                false,
                "capabilities",
                transparent
                        ? Tree.obj("drop", Tree.arr("ALL"), "add", Tree.arr("NET_ADMIN"))
                        : Tree.obj("drop", Tree.arr("ALL")),
                "privileged",
                false,
                "readOnlyRootFilesystem",
                true,
                "runAsGroup",
                USER,
                "runAsNonRoot",
                !transparent,
                "runAsUser",
                transparent ? 0 : USER,
                "seccompProfile",
                Tree.obj("type", "RuntimeDefault"));
    }

    List<Tree> volumes() {
        var volumes = new ArrayList<>(ours());
        for (int i = 0; i < certificates.size(); i++) {
            volumes.add(Tree.obj("name", CERTIFICATE + i, "secret", Tree.obj("secretName", certificates.get(i))));
        }
        return volumes;
    }

    private static List<Tree> ours() {
        return List.of(
                Tree.obj(
                        "name",
                        "bodyguard-token",
                        "projected",
                        Tree.obj(
                                "sources",
                                Tree.arr(Tree.obj(
                                        "serviceAccountToken",
                                        Tree.obj(
                                                "audience", "bodyguard",
                                                "expirationSeconds", 3600,
                                                "path", "token"))))),
                Tree.obj("name", "bodyguard-root", "configMap", Tree.obj("name", "bodyguard-root", "optional", false)),
                Tree.obj("name", "bodyguard-state", "emptyDir", Tree.obj("medium", "Memory", "sizeLimit", "16Mi")),
                Tree.obj(
                        "name",
                        "bodyguard-podinfo",
                        "downwardAPI",
                        Tree.obj("items", Tree.arr(info("labels"), info("annotations")))),
                // The JVM's own files, and native libraries that it unpacks.
                Tree.obj("name", "bodyguard-tmp", "emptyDir", Tree.obj("sizeLimit", "64Mi")));
    }

    private static Tree info(String what) {
        return Tree.obj("path", what, "fieldRef", Tree.obj("fieldPath", "metadata." + what));
    }

    private static Tree ready(int delay, int period, int failures) {
        return Tree.obj(
                "httpGet", Tree.obj("path", "/healthz/ready", "port", STATUS_PORT),
                "initialDelaySeconds", delay,
                "periodSeconds", Math.max(1, period),
                "timeoutSeconds", 3,
                "failureThreshold", Math.max(1, failures));
    }

    private static Tree mount(String name, String path, boolean readOnly) {
        return readOnly
                ? Tree.obj("name", name, "mountPath", path, "readOnly", true)
                : Tree.obj("name", name, "mountPath", path);
    }

    private static Tree field(String name, String path) {
        return Tree.obj("name", name, "valueFrom", Tree.obj("fieldRef", Tree.obj("fieldPath", path)));
    }

    private static Tree env(Map<String, String> variables) {
        return new Tree.Arr(variables.entrySet().stream()
                .map(variable -> (Tree) Tree.obj("name", variable.getKey(), "value", variable.getValue()))
                .toList());
    }
}
