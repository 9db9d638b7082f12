package dev.bodyguard.source.kubernetes;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import java.util.Map;
import java.util.TreeMap;

/// Whom a service means.
///
/// @param labels of its pods; empty where its endpoints are written down by somebody
/// @param unreadyToo pods that are not ready, too
record Selection(String namespace, String name, Map<String, String> labels, boolean unreadyToo) {
    Selection {
        labels = Map.copyOf(labels);
    }

    static Selection of(GenericKubernetesResource service) {
        var tree = Tree.of(service);
        var labels = new TreeMap<String, String>();
        if (tree.at("spec", "selector").value() instanceof Map<?, ?> selector) {
            selector.forEach((key, value) -> labels.put(String.valueOf(key), String.valueOf(value)));
        }
        return new Selection(
                service.getMetadata().getNamespace(),
                service.getMetadata().getName(),
                labels,
                tree.is("spec", "publishNotReadyAddresses"));
    }
}
