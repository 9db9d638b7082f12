package dev.bodyguard.injector.service;

import dev.bodyguard.injector.decision.Namespace;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Asks the API server each time.
record ClusterNamespaces(KubernetesClient client) implements Namespaces {
    @Override
    public Namespace get(String name) throws IOException {
        try {
            var namespace = client.namespaces().withName(name).get();
            if (namespace == null) {
                throw new IOException("namespace " + name + " does not exist");
            }
            return new Namespace(
                    name,
                    said(namespace.getMetadata().getLabels()),
                    said(namespace.getMetadata().getAnnotations()));
        } catch (KubernetesClientException failed) {
            throw new IOException("namespace " + name + " cannot be read: " + Why.of(failed), failed);
        }
    }

    private static Map<String, String> said(@Nullable Map<String, String> map) {
        return map == null ? Map.of() : map;
    }
}
