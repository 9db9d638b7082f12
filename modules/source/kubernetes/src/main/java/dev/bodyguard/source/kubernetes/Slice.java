package dev.bodyguard.source.kubernetes;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Some of a service's endpoints, as whoever keeps them wrote them down.
///
/// @param service its short name
/// @param ports name of the service's port to where its endpoints listen; TCP
/// @param addresses of endpoints that are ready
record Slice(String namespace, String name, String service, Map<String, Integer> ports, List<String> addresses) {
    private static final String OF_SERVICE = "kubernetes.io/service-name";
    /// The API server allows 1,000 endpoints and 100 ports.
    private static final int MOST_ENDPOINTS = 1_000;

    private static final int MOST_PORTS = 100;

    Slice {
        ports = Map.copyOf(ports);
        addresses = List.copyOf(addresses);
    }

    static Slice of(GenericKubernetesResource object) throws Unfit {
        var meta = object.getMetadata();
        var tree = Tree.of(object);
        var labels = meta.getLabels() == null ? Map.<String, String>of() : meta.getLabels();
        var ports = new HashMap<String, Integer>();
        for (var port : tree.items("ports")) {
            var protocol = port.text("protocol");
            int number = port.port("port");
            if (number > 0 && (protocol.isEmpty() || protocol.equals("TCP"))) {
                ports.put(port.text("name"), number);
            }
        }
        var addresses = new ArrayList<String>();
        for (var endpoint : tree.items("endpoints")) {
            // Not said means ready.
            boolean ready =
                    !Boolean.FALSE.equals(endpoint.at("conditions", "ready").value());
            var all = endpoint.items("addresses");
            if (ready && !all.isEmpty() && all.getFirst().value() instanceof String first && Pod.isAddress(first)) {
                addresses.add(first);
            }
        }
        if (addresses.size() > MOST_ENDPOINTS || ports.size() > MOST_PORTS) {
            throw new Unfit("it may have " + MOST_ENDPOINTS + " endpoints and " + MOST_PORTS + " ports, and has "
                    + addresses.size() + " and " + ports.size());
        }
        return new Slice(meta.getNamespace(), meta.getName(), labels.getOrDefault(OF_SERVICE, ""), ports, addresses);
    }
}
