package dev.bodyguard.source.kubernetes;

import dev.bodyguard.model.Origin;
import dev.bodyguard.model.Workload;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A pod that may stand behind a service: it has an address, has not ended and is not about to.
///
/// @param onNode it has its node's network, and so no address of its own
record Pod(Workload workload, boolean onNode) {
    /// Says that the injector gave the pod a sidecar, and what that is called.
    private static final String INJECTED = "bodyguard.dev/status";

    private static final String SIDECAR = "bodyguard-proxy";
    private static final int MOST_LABELS = 256;
    private static final int MOST_PORTS = 256;

    /// Reads a pod.
    ///
    /// @return null where nobody is to be sent there
    /// @throws Unfit where it cannot be told
    static @Nullable Pod of(GenericKubernetesResource object) throws Unfit {
        var meta = object.getMetadata();
        var tree = Tree.of(object);
        var phase = tree.text("status", "phase");
        var address = address(tree);
        if (meta.getDeletionTimestamp() != null
                || address == null
                || phase.equals("Succeeded")
                || phase.equals("Failed")) {
            return null;
        }
        Map<String, String> labels = meta.getLabels() == null ? Map.of() : meta.getLabels();
        if (labels.size() > MOST_LABELS) {
            throw new Unfit("it has " + labels.size() + " labels and may have " + MOST_LABELS);
        }
        var containers = containers(tree);
        boolean onNode = tree.is("spec", "hostNetwork");
        boolean injected =
                meta.getAnnotations() != null && meta.getAnnotations().containsKey(INJECTED);
        var account = tree.text("spec", "serviceAccountName");
        return new Pod(
                new Workload(
                        meta.getNamespace(),
                        meta.getName(),
                        "",
                        account.isEmpty() ? "default" : account,
                        labels,
                        address,
                        Map.of(),
                        Map.of(),
                        ports(containers),
                        phase.equals("Running") && isReady(tree),
                        // Nothing is captured in a node's network.
                        injected
                                && !onNode
                                && containers.stream()
                                        .anyMatch(one -> one.text("name").equals(SIDECAR)),
                        0,
                        new Origin("Pod", meta.getNamespace(), meta.getName(), "", null)),
                onNode);
    }

    private static @Nullable String address(Tree pod) {
        var all = pod.items("status", "podIPs");
        var first = all.isEmpty() ? pod.text("status", "podIP") : all.getFirst().text("ip");
        return isAddress(first) ? first : null;
    }

    static boolean isAddress(String text) {
        try {
            var _ = InetAddress.ofLiteral(text);
            return true;
        } catch (IllegalArgumentException notOne) {
            return false;
        }
    }

    private static boolean isReady(Tree pod) {
        return pod.items("status", "conditions").stream()
                .anyMatch(one ->
                        one.text("type").equals("Ready") && one.text("status").equals("True"));
    }

    /// Those that run as long as the pod does; the app's before what starts ahead of it.
    private static List<Tree> containers(Tree pod) {
        var all = new ArrayList<>(pod.items("spec", "containers"));
        pod.items("spec", "initContainers").stream()
                .filter(one -> one.text("restartPolicy").equals("Always"))
                .forEach(all::add);
        return all;
    }

    private static Map<String, Integer> ports(List<Tree> containers) throws Unfit {
        var ports = new HashMap<String, Integer>();
        for (var container : containers) {
            for (var port : container.items("ports")) {
                var name = port.text("name");
                var protocol = port.text("protocol");
                int number = port.port("containerPort");
                if (!name.isEmpty() && number > 0 && (protocol.isEmpty() || protocol.equals("TCP"))) {
                    ports.putIfAbsent(name, number);
                }
            }
        }
        if (ports.size() > MOST_PORTS) {
            throw new Unfit("it names " + ports.size() + " ports and may name " + MOST_PORTS);
        }
        return ports;
    }
}
