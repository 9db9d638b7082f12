package dev.bodyguard.injector.decision;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// Which of a pod's annotations and labels that other meshes know are obeyed here, and why not the others: the one
/// table.
final class Annotations {
    // Obeyed.
    static final String NATIVE = "sidecar.istio.io/nativeSidecar";
    static final List<String> NATIVE_LINKERD = List.of(
            "config.linkerd.io/proxy-enable-native-sidecar",
            "config.beta.linkerd.io/proxy-enable-native-sidecar",
            "config.alpha.linkerd.io/proxy-enable-native-sidecar");
    /// Secrets of type `kubernetes.io/tls` by which the sidecar ends the app's own TLS.
    static final String CERTIFICATES = "bodyguard.dev/certificates";

    static final String MODE = "sidecar.istio.io/interceptionMode";
    static final String REWRITE_PROBES = "sidecar.istio.io/rewriteAppHTTPProbers";
    static final String CPU = "sidecar.istio.io/proxyCPU";
    static final String CPU_LIMIT = "sidecar.istio.io/proxyCPULimit";
    static final String MEMORY = "sidecar.istio.io/proxyMemory";
    static final String MEMORY_LIMIT = "sidecar.istio.io/proxyMemoryLimit";
    static final String CPU_LINKERD = "config.linkerd.io/proxy-cpu-request";
    static final String CPU_LIMIT_LINKERD = "config.linkerd.io/proxy-cpu-limit";
    static final String MEMORY_LINKERD = "config.linkerd.io/proxy-memory-request";
    static final String MEMORY_LIMIT_LINKERD = "config.linkerd.io/proxy-memory-limit";
    static final String IN_PORTS = "traffic.sidecar.istio.io/includeInboundPorts";
    static final String NOT_IN_PORTS = "traffic.sidecar.istio.io/excludeInboundPorts";
    static final String OUT_PORTS = "traffic.sidecar.istio.io/includeOutboundPorts";
    static final String NOT_OUT_PORTS = "traffic.sidecar.istio.io/excludeOutboundPorts";
    static final String OUT_RANGES = "traffic.sidecar.istio.io/includeOutboundIPRanges";
    static final String NOT_OUT_RANGES = "traffic.sidecar.istio.io/excludeOutboundIPRanges";
    static final String NOT_IN_PORTS_LINKERD = "config.linkerd.io/skip-inbound-ports";
    static final String NOT_OUT_PORTS_LINKERD = "config.linkerd.io/skip-outbound-ports";
    static final String NOT_OUT_RANGES_LINKERD = "config.linkerd.io/skip-subnets";
    static final String STATUS_PORT = "status.sidecar.istio.io/port";
    static final String READY_DELAY = "readiness.status.sidecar.istio.io/initialDelaySeconds";
    static final String READY_PERIOD = "readiness.status.sidecar.istio.io/periodSeconds";
    static final String READY_FAILURES = "readiness.status.sidecar.istio.io/failureThreshold";
    static final String MERGE_METRICS = "prometheus.istio.io/merge-metrics";

    private static final Set<String> OBEYED = Set.of(
            OptIn.OWN,
            OptIn.ISTIO,
            OptIn.LINKERD,
            Status.ANNOTATION,
            Status.ORIGINAL,
            "bodyguard.dev/source",
            NATIVE,
            NATIVE_LINKERD.get(0),
            NATIVE_LINKERD.get(1),
            NATIVE_LINKERD.get(2),
            CERTIFICATES,
            MODE,
            REWRITE_PROBES,
            CPU,
            CPU_LIMIT,
            MEMORY,
            MEMORY_LIMIT,
            CPU_LINKERD,
            CPU_LIMIT_LINKERD,
            MEMORY_LINKERD,
            MEMORY_LIMIT_LINKERD,
            IN_PORTS,
            NOT_IN_PORTS,
            OUT_PORTS,
            NOT_OUT_PORTS,
            OUT_RANGES,
            NOT_OUT_RANGES,
            NOT_IN_PORTS_LINKERD,
            NOT_OUT_PORTS_LINKERD,
            NOT_OUT_RANGES_LINKERD,
            STATUS_PORT,
            READY_DELAY,
            READY_PERIOD,
            READY_FAILURES,
            MERGE_METRICS);

    /// Config reads them.
    private static final Set<String> OBEYED_LABELS = Set.of("topology.istio.io/locality", "topology.istio.io/subzone");

    private static final String OTHER_IMAGE = "names another mesh's image";
    private static final String OTHER_PROXY = "is about another proxy's inside";
    private static final String ALWAYS = "is always so here";
    private static final String LOG = "the sidecar's log has one level";
    private static final String FIXED_PORT = "the sidecar's ports are fixed";
    private static final String FIXED_USER = "the sidecar runs as 1337";
    private static final String BY_POLICY = "belongs into a policy of the mesh";
    private static final String NO_MOUNTS = "nothing of the app's is mounted into the sidecar";
    private static final String INTERFACES = "capture does not tell interfaces apart";
    private static final String A_SERVICES = "it is a Service's";
    private static final String BY_LINKERD = "it is what Linkerd's injector writes";

    /// Name to the reason why it is ignored.
    private static final Map<String, String> IGNORED = new TreeMap<>(Map.ofEntries(
            Map.entry("sidecar.istio.io/status", OTHER_PROXY),
            Map.entry("sidecar.istio.io/discoveryAddress", "the sidecar asks the control plane that injected it"),
            Map.entry("sidecar.istio.io/proxyImage", OTHER_IMAGE),
            Map.entry("sidecar.istio.io/proxyImageType", OTHER_IMAGE),
            Map.entry("sidecar.istio.io/bootstrapOverride", OTHER_PROXY),
            Map.entry("sidecar.istio.io/statsInclusionPrefixes", OTHER_PROXY),
            Map.entry("sidecar.istio.io/statsInclusionSuffixes", OTHER_PROXY),
            Map.entry("sidecar.istio.io/statsInclusionRegexps", OTHER_PROXY),
            Map.entry("sidecar.istio.io/statsHistogramBuckets", OTHER_PROXY),
            Map.entry("sidecar.istio.io/statsHistogramBins", OTHER_PROXY),
            Map.entry("sidecar.istio.io/statsFlushInterval", OTHER_PROXY),
            Map.entry("sidecar.istio.io/statsEvictionInterval", OTHER_PROXY),
            Map.entry("sidecar.istio.io/statsCompression", OTHER_PROXY),
            Map.entry("sidecar.istio.io/extraStatTags", OTHER_PROXY),
            Map.entry("sidecar.istio.io/userVolume", NO_MOUNTS),
            Map.entry("sidecar.istio.io/userVolumeMount", NO_MOUNTS),
            Map.entry("sidecar.istio.io/logLevel", LOG),
            Map.entry("sidecar.istio.io/componentLogLevel", LOG),
            Map.entry("sidecar.istio.io/agentLogLevel", LOG),
            Map.entry("sidecar.istio.io/capNetBindService", "the sidecar binds no port below 1024"),
            Map.entry(
                    "readiness.status.sidecar.istio.io/applicationPorts",
                    "the app's own readiness probe tells whether its ports answer"),
            Map.entry("traffic.sidecar.istio.io/excludeInterfaces", INTERFACES),
            Map.entry("traffic.sidecar.istio.io/kubevirtInterfaces", INTERFACES),
            Map.entry("istio.io/reroute-virtual-interfaces", INTERFACES),
            Map.entry(
                    "proxy.istio.io/config",
                    "the sidecar has settings of its own; the app is always held until it is ready"),
            Map.entry("proxy.istio.io/overrides", OTHER_PROXY),
            Map.entry("istio.io/dry-run", "it is an AuthorizationPolicy's"),
            Map.entry(OptIn.ISTIO_REVISION, "a pod chooses a revision by its label of that name"),
            Map.entry("galley.istio.io/analyze-suppress", WhyIgnored.ANALYSIS),
            Map.entry("networking.istio.io/exportTo", A_SERVICES),
            Map.entry("networking.istio.io/traffic-distribution", A_SERVICES),
            Map.entry("traffic.istio.io/nodeSelector", A_SERVICES),
            Map.entry("topology.istio.io/controlPlaneClusters", WhyIgnored.ONE_CLUSTER),
            Map.entry("inject.istio.io/templates", "there is one kind of sidecar"),
            Map.entry("linkerd.io/created-by", BY_LINKERD),
            Map.entry("linkerd.io/proxy-version", BY_LINKERD),
            Map.entry("linkerd.io/trust-root-sha256", BY_LINKERD),
            Map.entry("config.linkerd.io/proxy-image", OTHER_IMAGE),
            Map.entry("config.linkerd.io/proxy-version", OTHER_IMAGE),
            Map.entry("config.linkerd.io/image-pull-policy", OTHER_IMAGE),
            Map.entry("config.linkerd.io/init-image", OTHER_IMAGE),
            Map.entry("config.linkerd.io/init-image-version", OTHER_IMAGE),
            Map.entry("config.linkerd.io/debug-image", OTHER_IMAGE),
            Map.entry("config.linkerd.io/debug-image-version", OTHER_IMAGE),
            Map.entry("config.linkerd.io/debug-image-pull-policy", OTHER_IMAGE),
            Map.entry("config.linkerd.io/enable-debug-sidecar", OTHER_IMAGE),
            Map.entry("config.linkerd.io/control-port", FIXED_PORT),
            Map.entry("config.linkerd.io/inbound-port", FIXED_PORT),
            Map.entry("config.linkerd.io/outbound-port", FIXED_PORT),
            Map.entry("config.linkerd.io/admin-port", FIXED_PORT),
            Map.entry("config.linkerd.io/pod-inbound-ports", "every port that is not excluded is captured"),
            Map.entry("config.linkerd.io/opaque-ports", "whoever speaks first on a port decides; name it in a Service"),
            Map.entry("config.linkerd.io/proxy-cpu-ratio-limit", "set config.linkerd.io/proxy-cpu-limit"),
            Map.entry("config.linkerd.io/proxy-ephemeral-storage-request", "the sidecar stores next to nothing"),
            Map.entry("config.linkerd.io/proxy-ephemeral-storage-limit", "the sidecar stores next to nothing"),
            Map.entry("config.linkerd.io/proxy-uid", FIXED_USER),
            Map.entry("config.linkerd.io/proxy-gid", FIXED_USER),
            Map.entry("config.linkerd.io/proxy-log-level", LOG),
            Map.entry("config.linkerd.io/proxy-log-format", LOG),
            Map.entry("config.linkerd.io/proxy-log-http-headers", LOG),
            Map.entry("config.linkerd.io/access-log", "the sidecar's access log has one format"),
            Map.entry("config.linkerd.io/enable-external-profiles", BY_POLICY),
            Map.entry("config.linkerd.io/proxy-require-identity-inbound-ports", BY_POLICY + " (PeerAuthentication)"),
            Map.entry("config.linkerd.io/default-inbound-policy", BY_POLICY + " (AuthorizationPolicy)"),
            Map.entry("config.linkerd.io/proxy-metrics-hostname-labels", OTHER_PROXY),
            Map.entry("config.linkerd.io/proxy-outbound-connect-timeout", BY_POLICY + " (DestinationRule)"),
            Map.entry("config.linkerd.io/proxy-inbound-connect-timeout", BY_POLICY + " (DestinationRule)"),
            Map.entry("config.linkerd.io/proxy-outbound-discovery-cache-unused-timeout", OTHER_PROXY),
            Map.entry("config.linkerd.io/proxy-inbound-discovery-cache-unused-timeout", OTHER_PROXY),
            Map.entry("config.linkerd.io/proxy-disable-outbound-protocol-detect-timeout", OTHER_PROXY),
            Map.entry("config.linkerd.io/proxy-disable-inbound-protocol-detect-timeout", OTHER_PROXY),
            Map.entry("config.linkerd.io/enable-gateway", "there is no gateway in a sidecar"),
            Map.entry("config.linkerd.io/proxy-await", ALWAYS),
            Map.entry("config.linkerd.io/close-wait-timeout", OTHER_PROXY),
            Map.entry("config.linkerd.io/shutdown-grace-period", "the pod's terminationGracePeriodSeconds says it"),
            Map.entry("config.linkerd.io/proxy-additional-env", OTHER_PROXY),
            Map.entry("config.linkerd.io/proxy-admin-shutdown", OTHER_PROXY),
            Map.entry("config.alpha.linkerd.io/proxy-wait-before-exit-seconds", ALWAYS + ": it outlives the app")));

    /// Name of a label to the reason why it is ignored.
    private static final Map<String, String> IGNORED_LABELS = new TreeMap<>(Map.ofEntries(
            Map.entry("topology.istio.io/network", "every pod is reached directly, in one network"),
            Map.entry("topology.istio.io/cluster", WhyIgnored.ONE_CLUSTER),
            Map.entry("security.istio.io/tlsMode", "a pod speaks mutual TLS if it has a sidecar"),
            Map.entry("service.istio.io/workload-name", "a pod is counted under whoever owns it"),
            Map.entry("istio.io/tag", "a revision is chosen by istio.io/rev"),
            Map.entry("istio.io/draining", "a pod drains once it is deleted"),
            Map.entry("istio.io/persistent-session", A_SERVICES),
            Map.entry("istio.io/persistent-session-header", A_SERVICES),
            Map.entry("networking.istio.io/enable-autoallocate-ip", "it is a ServiceEntry's"),
            Map.entry("istio.io/dataplane-mode", WhyIgnored.AMBIENT),
            Map.entry("istio.io/use-waypoint", WhyIgnored.AMBIENT),
            Map.entry("istio.io/use-waypoint-namespace", WhyIgnored.AMBIENT),
            Map.entry("istio.io/waypoint-for", WhyIgnored.AMBIENT)));

    /// Begin names that say how requests are treated, which nobody but whom they are sent to, or a route, can say.
    private static final Map<String, String> OF_REQUESTS = Map.of(
            "retry.linkerd.io/",
            "it belongs on a Service or a route",
            "timeout.linkerd.io/",
            "it belongs on a Service or a route",
            "balancer.linkerd.io/",
            A_SERVICES,
            "balancer.alpha.linkerd.io/",
            A_SERVICES);

    /// Begins labels that Linkerd's injector writes.
    private static final String LABELS_BY_LINKERD = "linkerd.io/";

    /// A namespace's label, which keeps its pods from Linkerd's injector.
    private static final String WEBHOOKS = "config.linkerd.io/admission-webhooks";

    /// Whoever writes one of these expects something of the injector.
    private static final List<String> FAMILIES = List.of(
            "sidecar.istio.io/",
            "traffic.sidecar.istio.io/",
            "status.sidecar.istio.io/",
            "readiness.status.sidecar.istio.io/",
            "proxy.istio.io/",
            "inject.istio.io/",
            "topology.istio.io/",
            "networking.istio.io/",
            "traffic.istio.io/",
            "prometheus.istio.io/",
            "galley.istio.io/",
            "istio.io/",
            "linkerd.io/",
            "config.linkerd.io/",
            "config.alpha.linkerd.io/",
            "config.beta.linkerd.io/",
            "bodyguard.dev/");

    private Annotations() {}

    /// A sentence for each that has no effect.
    ///
    /// @param annotations of the pod, and those of its namespace that hold for it
    /// @param labels of the pod
    static List<String> ignored(Map<String, String> annotations, Map<String, String> labels, Namespace namespace) {
        var sentences = new ArrayList<String>();
        for (String name : new TreeMap<>(annotations).keySet()) {
            whyIgnored(name).ifPresent(why -> sentences.add(WhyIgnored.sentence(name, why)));
        }
        for (String name : new TreeMap<>(labels).keySet()) {
            var why = name.startsWith(LABELS_BY_LINKERD) ? BY_LINKERD : IGNORED_LABELS.get(name);
            if (why != null) {
                sentences.add("label " + WhyIgnored.sentence(name, why));
            }
        }
        if (namespace.labels().getOrDefault(WEBHOOKS, "").equals("disabled")) {
            sentences.add("namespace " + namespace.name() + "'s label "
                    + WhyIgnored.sentence(
                            WEBHOOKS + "=disabled", "a namespace declines by " + OptIn.OWN + "=disabled"));
        }
        return sentences;
    }

    static boolean isObeyed(String name) {
        return OBEYED.contains(name);
    }

    static boolean isObeyedLabel(String name) {
        return OBEYED_LABELS.contains(name);
    }

    /// Whether somebody expects something of the injector by it, on whatever object it stands.
    static boolean isForPods(String name) {
        return OBEYED.contains(name) || IGNORED.containsKey(name) || isOfFamily(name);
    }

    /// Empty if it is obeyed, or none of the meshes'.
    private static Optional<String> whyIgnored(String name) {
        if (IGNORED.containsKey(name)) {
            return Optional.of(IGNORED.get(name));
        }
        for (var family : OF_REQUESTS.entrySet()) {
            if (name.startsWith(family.getKey())) {
                return Optional.of(family.getValue());
            }
        }
        return !OBEYED.contains(name) && isOfFamily(name) ? Optional.of("it is not known here") : Optional.empty();
    }

    private static boolean isOfFamily(String name) {
        return FAMILIES.stream().anyMatch(name::startsWith);
    }
}
