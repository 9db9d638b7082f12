package dev.bodyguard.injector.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.LabelSelectorBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfigurationBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.mockwebserver.Context;
import io.fabric8.mockwebserver.MockWebServer;
import java.util.HashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ClusterRevisionsTest {
    private final KubernetesMockServer api = new KubernetesMockServer(
            new Context(), new MockWebServer(), new HashMap<>(), new KubernetesCrudDispatcher(), false);
    private KubernetesClient client;

    @BeforeEach
    void start() {
        api.init();
        client = api.createClient();
    }

    @AfterEach
    void stop() {
        // The mock ends with this process: its own end may wait in vain for a thread of its HTTP server.
        client.close();
    }

    @Test
    void aRevisionIsServedByTheWebhooksThatSelectIt() throws Exception {
        var none = new LabelSelector();
        create("istiod-1-30", requiring("istio.io/rev", "In", "1-30"), none);
        create("by-pod", none, requiring("istio.io/rev", "In", "blue", "green"));
        create(
                "by-label",
                new LabelSelectorBuilder()
                        .addToMatchLabels("istio.io/rev", "prod")
                        .build(),
                none);
        create("linkerd", requiring("config.linkerd.io/admission-webhooks", "NotIn", "disabled"), none);
        create("never", requiring("istio.io/rev", "NotIn", "old"), none);
        create("bodyguard-injector-default", requiring("istio.io/rev", "In", "default"), none);
        var revisions = new ClusterRevisions(client, "bodyguard-injector-default");

        assertThat(revisions.isServed("1-30")).isTrue();
        assertThat(revisions.isServed("green")).isTrue();
        assertThat(revisions.isServed("prod")).isTrue();
        assertThat(revisions.isServed("canary")).isFalse();
        assertThat(revisions.isServed("old")).isFalse();
        assertThat(revisions.isServed("default")).isFalse();
    }

    @Test
    void aWebhookThatAsksForAnyRevisionServesEach() throws Exception {
        create("all", requiring("istio.io/rev", "Exists"), new LabelSelector());

        assertThat(new ClusterRevisions(client, "bodyguard-injector-default").isServed("canary"))
                .isTrue();
    }

    private static LabelSelector requiring(String key, String operator, String... values) {
        return new LabelSelectorBuilder()
                .addNewMatchExpression()
                .withKey(key)
                .withOperator(operator)
                .withValues(values)
                .endMatchExpression()
                .build();
    }

    private void create(String name, LabelSelector namespaces, LabelSelector objects) {
        client.resource(new MutatingWebhookConfigurationBuilder()
                        .withNewMetadata()
                        .withName(name)
                        .endMetadata()
                        .addNewWebhook()
                        .withName(name + ".example.com")
                        .withNamespaceSelector(namespaces)
                        .withObjectSelector(objects)
                        .endWebhook()
                        .build())
                .create();
    }
}
