package dev.bodyguard.injector.decision;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// Which of a Service's annotations and labels that other meshes know have no effect, and why. Those in force are read
/// by the mesh's dialects, which put what is wrong with them where `bodyguard check` finds it; a Service has no status
/// to tell it by.
public final class ServiceAnnotations {
    private static final Set<String> OBEYED = Set.of(
            "networking.istio.io/exportTo",
            "retry.linkerd.io/http",
            "retry.linkerd.io/grpc",
            "retry.linkerd.io/limit",
            "retry.linkerd.io/timeout",
            "timeout.linkerd.io/request");

    private static final String ONE_TIMEOUT = "of timeouts only timeout.linkerd.io/request is obeyed";
    private static final String UNSTICKY = "each request is balanced for itself";

    private static final Map<String, String> IGNORED = Map.ofEntries(
            Map.entry("timeout.linkerd.io/response", ONE_TIMEOUT),
            Map.entry("timeout.linkerd.io/idle", ONE_TIMEOUT),
            Map.entry("networking.istio.io/traffic-distribution", WhyIgnored.LOCALITY),
            Map.entry("traffic.istio.io/nodeSelector", "every pod is reached directly, in one network"),
            Map.entry("topology.istio.io/controlPlaneClusters", WhyIgnored.ONE_CLUSTER),
            Map.entry("config.linkerd.io/opaque-ports", "a port's name or appProtocol (tcp) says it"),
            Map.entry("galley.istio.io/analyze-suppress", WhyIgnored.ANALYSIS));

    /// Begins of names, whose endings are too many.
    private static final String BALANCED = "balancer.";

    private static final Set<String> FAMILIES = Set.of(
            "retry.linkerd.io/",
            "timeout.linkerd.io/",
            "balancer.linkerd.io/",
            "balancer.alpha.linkerd.io/",
            "networking.istio.io/",
            "traffic.istio.io/",
            "topology.istio.io/");

    private static final Map<String, String> IGNORED_LABELS = Map.ofEntries(
            Map.entry("istio.io/persistent-session", UNSTICKY),
            Map.entry("istio.io/persistent-session-header", UNSTICKY),
            Map.entry("istio.io/use-waypoint", WhyIgnored.AMBIENT),
            Map.entry("istio.io/use-waypoint-namespace", WhyIgnored.AMBIENT));

    private ServiceAnnotations() {}

    /// A sentence for each that has no effect.
    public static List<String> ignored(Tree service) {
        var metadata = service.at("metadata");
        var sentences = new ArrayList<String>();
        for (var name : new TreeSet<>(metadata.at("annotations").fields().keySet())) {
            whyIgnored(name).ifPresent(why -> sentences.add(WhyIgnored.sentence(name, why)));
        }
        var labels = metadata.at("labels").fields();
        new TreeMap<>(IGNORED_LABELS).forEach((name, why) -> {
            if (labels.containsKey(name)) {
                sentences.add("label " + WhyIgnored.sentence(name, why));
            }
        });
        return sentences;
    }

    static boolean isObeyed(String name) {
        return OBEYED.contains(name);
    }

    /// Empty if it is obeyed, or none of the meshes'.
    private static Optional<String> whyIgnored(String name) {
        if (OBEYED.contains(name)) {
            return Optional.empty();
        }
        if (IGNORED.containsKey(name)) {
            return Optional.of(IGNORED.get(name));
        }
        if (FAMILIES.stream().anyMatch(name::startsWith)) {
            return Optional.of(
                    name.startsWith(BALANCED)
                            ? "a DestinationRule's trafficPolicy says how endpoints are chosen"
                            : "it is not known here");
        }
        return Annotations.isForPods(name) ? Optional.of("it is not for Services") : Optional.empty();
    }
}
