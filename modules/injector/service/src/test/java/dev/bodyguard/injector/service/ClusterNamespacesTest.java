package dev.bodyguard.injector.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import dev.bodyguard.injector.decision.Namespace;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.mockwebserver.Context;
import io.fabric8.mockwebserver.MockWebServer;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ClusterNamespacesTest {
    @Test
    void readsWhatTheNamespaceSays() throws IOException {
        var api = new KubernetesMockServer(
                new Context(), new MockWebServer(), new HashMap<>(), new KubernetesCrudDispatcher(), false);
        api.init();
        try (var client = api.createClient()) {
            client.resource(new NamespaceBuilder()
                            .withNewMetadata()
                            .withName("shop")
                            .addToLabels("istio-injection", "enabled")
                            .endMetadata()
                            .build())
                    .create();
            var namespaces = new ClusterNamespaces(client);

            assertThat(namespaces.get("shop"))
                    .isEqualTo(new Namespace("shop", Map.of("istio-injection", "enabled"), Map.of()));
            assertThatIOException()
                    .isThrownBy(() -> namespaces.get("none"))
                    .withMessage("namespace none does not exist");
        }
    }

    @Test
    void saysWhyTheApiServerDoesNotAnswer() {
        var nobody = new ConfigBuilder()
                .withMasterUrl("http://127.0.0.1:1")
                .withRequestRetryBackoffLimit(0)
                .build();
        try (var client = new KubernetesClientBuilder().withConfig(nobody).build()) {
            assertThatIOException()
                    .isThrownBy(() -> new ClusterNamespaces(client).get("shop"))
                    .withMessageStartingWith("namespace shop cannot be read: the API server does not answer: ");
        }
    }
}
