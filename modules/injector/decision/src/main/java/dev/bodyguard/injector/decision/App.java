package dev.bodyguard.injector.decision;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A pod as its author wrote it.
record App(Tree pod) {
    private static final Set<String> OURS = Set.of("15000", "15001", "15006", "15020", "15021", "15090");
    private static final Map<String, String> OTHERS = Map.of("istio-proxy", "Istio", "linkerd-proxy", "Linkerd");

    Map<String, String> labels() {
        return strings(pod.at("metadata", "labels"));
    }

    Map<String, String> annotations() {
        return strings(pod.at("metadata", "annotations"));
    }

    List<Tree> containers() {
        return pod.at("spec", "containers").items();
    }

    List<Tree> initContainers() {
        return pod.at("spec", "initContainers").items();
    }

    /// TCP ports that its containers declare.
    Set<String> ports() {
        var ports = new LinkedHashSet<String>();
        for (var container : running()) {
            for (var port : container.at("ports").items()) {
                if (port.at("protocol").text().orElse("TCP").equals("TCP")) {
                    port.at("containerPort").text().ifPresent(ports::add);
                }
            }
        }
        return ports;
    }

    /// The containers, and those init containers that stay.
    private List<Tree> running() {
        var running = new ArrayList<>(containers());
        initContainers().stream()
                .filter(container ->
                        container.at("restartPolicy").text().orElse("").equals("Always"))
                .forEach(running::add);
        return running;
    }

    private List<Tree> everyContainer() {
        var every = new ArrayList<>(initContainers());
        every.addAll(containers());
        return every;
    }

    /// What is to be known where its containers, the sidecar among them, do not ask the cluster's name servers.
    Optional<String> nameService() {
        var policy = pod.at("spec", "dnsPolicy").text().orElse("ClusterFirst");
        var whose = switch (policy) {
            case "Default" -> "the node's name servers know";
            case "None" -> "a name server and a search domain of its dnsConfig know";
            default -> "";
        };
        return whose.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        "dnsPolicy " + policy + ": unless " + whose + " the cluster's Services, the sidecar finds no"
                                + " control plane and the app never starts; write ClusterFirst");
    }

    /// Ends the decision where a sidecar could not do its work.
    void requireFit(Sidecar sidecar) {
        var spec = pod.at("spec");
        if (containers().isEmpty()) {
            throw new Unfit("it has no containers", "write spec.containers");
        }
        if (spec.at("hostNetwork").text().orElse("").equals("true")) {
            throw new Unfit(
                    "hostNetwork: its traffic is the node's, which capture would redirect as a whole",
                    "drop hostNetwork, or decline with " + OptIn.OWN + "=disabled");
        }
        if (spec.at("os", "name").text().orElse("").equals("windows")) {
            throw new Unfit("it runs on Windows, where there is no sidecar", "decline with " + OptIn.OWN + "=disabled");
        }
        requireOther("the pod's securityContext", spec);
        for (var container : everyContainer()) {
            var name = container.at("name").text().orElse("");
            if (name.equals(Status.PROXY) || name.equals(Status.INIT)) {
                throw new Unfit(
                        "a container is called " + name + " already, and annotation " + Status.ANNOTATION
                                + " does not tell of it",
                        "call it otherwise, or remove it");
            }
            if (OTHERS.containsKey(name)) {
                throw new Unfit(
                        "it has " + OTHERS.get(name) + "'s sidecar already (" + name + ")", "take that one out first");
            }
            requireOther("container " + OptIn.shown(name), container);
        }
        for (var port : ports()) {
            if (OURS.contains(port)) {
                throw new Unfit("containerPort " + port + " is the sidecar's", "let the app listen on another port");
            }
        }
        for (var volume : spec.at("volumes").items()) {
            var name = volume.at("name").text().orElse("");
            if (Containers.VOLUMES.contains(name) || name.startsWith(Containers.CERTIFICATE)) {
                throw new Unfit("a volume is called " + name + " already", "call it otherwise");
            }
        }
    }

    /// Capture leaves alone what is sent by the sidecar's user, and what is sent by its group.
    private static void requireOther(String who, Tree of) {
        for (var field : List.of("runAsUser", "runAsGroup")) {
            if (of.at("securityContext", field).text().orElse("").equals(String.valueOf(Containers.USER))) {
                throw new Unfit(
                        who + " says " + field + " " + Containers.USER
                                + ", whose traffic is taken for the sidecar's and goes past it",
                        "run it as another " + (field.equals("runAsUser") ? "user" : "group"));
            }
        }
    }

    private static Map<String, String> strings(Tree object) {
        var strings = new LinkedHashMap<String, String>();
        object.fields().forEach((name, value) -> value.text().ifPresent(text -> strings.put(name, text)));
        return strings;
    }
}
