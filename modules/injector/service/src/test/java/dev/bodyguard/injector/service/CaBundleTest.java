package dev.bodyguard.injector.service;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.identity.spiffe.TrustBundle;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhook;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfigurationBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhookConfigurationBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.mockwebserver.Context;
import io.fabric8.mockwebserver.MockWebServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CaBundleTest {
    private static final String NAME = "bodyguard-injector";
    private static final String SHOWN = "MutatingWebhookConfiguration " + NAME;

    private final KubernetesMockServer api = new KubernetesMockServer(
            new Context(), new MockWebServer(), new HashMap<>(), new KubernetesCrudDispatcher(), false);
    private final Heard heard = new Heard();
    private final TrustBundle old;
    private final TrustBundle young;
    private final AtomicReference<TrustBundle> roots;
    private KubernetesClient client;

    CaBundleTest() throws IOException {
        old = new Certificates().roots();
        young = new Certificates().roots();
        roots = new AtomicReference<>(old);
    }

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
    void writesTheRootsIntoEachWebhook() throws Exception {
        create();

        try (var bundle = CaBundle.start(client, Configuration.MUTATING, NAME, roots::get, heard)) {
            assertThat(heard.next()).isEqualTo("written " + SHOWN);

            assertThat(written()).containsExactly(old.toPem(), old.toPem());
            bundle.look();
            assertThat(bundle.trouble()).isEmpty();
        }
    }

    @Test
    void writesThemIntoAConfigurationOfTheOtherKind() throws Exception {
        client.resource(new ValidatingWebhookConfigurationBuilder()
                        .withNewMetadata()
                        .withName(NAME)
                        .endMetadata()
                        .addNewWebhook()
                        .withName("workloads.injector.bodyguard.dev")
                        .withNewClientConfig()
                        .endClientConfig()
                        .endWebhook()
                        .build())
                .create();

        try (var _ = CaBundle.start(client, Configuration.VALIDATING, NAME, roots::get, heard)) {
            assertThat(heard.next()).isEqualTo("written ValidatingWebhookConfiguration " + NAME);
        }

        var written = client.admissionRegistration()
                .v1()
                .validatingWebhookConfigurations()
                .withName(NAME)
                .get();
        assertThat(decoded(written.getWebhooks().getFirst().getClientConfig().getCaBundle()))
                .isEqualTo(old.toPem());
    }

    @Test
    void waitsForTheConfigurationToBeInstalled() throws Exception {
        try (var bundle = CaBundle.start(client, Configuration.MUTATING, NAME, roots::get, heard)) {
            assertThat(heard.next())
                    .isEqualTo("not written " + SHOWN + ": " + SHOWN + " does not exist; install the chart");
            assertThat(bundle.trouble()).isPresent();

            create();

            assertThat(heard.next()).isEqualTo("written " + SHOWN);
        }
    }

    @Test
    void putsBackWhatAnUpgradeOfTheChartEmptied() throws Exception {
        create();
        try (var _ = CaBundle.start(client, Configuration.MUTATING, NAME, roots::get, heard)) {
            assertThat(heard.next()).isEqualTo("written " + SHOWN);

            write(null);

            assertThat(heard.next()).isEqualTo("written " + SHOWN);
            assertThat(written()).containsOnly(old.toPem());
        }
    }

    @Test
    void followsItsRootsAndLeavesThoseOfAReplicaThatIsAhead() throws Exception {
        create();
        try (var bundle = CaBundle.start(client, Configuration.MUTATING, NAME, roots::get, heard)) {
            assertThat(heard.next()).isEqualTo("written " + SHOWN);
            var both = new TrustBundle(
                    "cluster.local",
                    Stream.of(young, old).flatMap(one -> one.roots().stream()).toList());

            write(both);
            roots.set(young);
            bundle.look();

            assertThat(heard.next()).isEqualTo("written " + SHOWN);
            assertThat(written()).containsOnly(young.toPem());
            assertThat(heard.lines).isEmpty();
        }
    }

    private void create() {
        client.resource(new MutatingWebhookConfigurationBuilder()
                        .withNewMetadata()
                        .withName(NAME)
                        .endMetadata()
                        .addNewWebhook()
                        .withName("namespace.injector.bodyguard.dev")
                        .withNewClientConfig()
                        .endClientConfig()
                        .endWebhook()
                        .addNewWebhook()
                        .withName("object.injector.bodyguard.dev")
                        .withNewClientConfig()
                        .endClientConfig()
                        .endWebhook()
                        .build())
                .create();
    }

    private void write(@Nullable TrustBundle bundle) {
        client.admissionRegistration()
                .v1()
                .mutatingWebhookConfigurations()
                .withName(NAME)
                .edit(configuration -> {
                    for (MutatingWebhook webhook : configuration.getWebhooks()) {
                        webhook.getClientConfig()
                                .setCaBundle(
                                        bundle == null
                                                ? null
                                                : Base64.getEncoder()
                                                        .encodeToString(
                                                                bundle.toPem().getBytes(StandardCharsets.UTF_8)));
                    }
                    return configuration;
                });
    }

    private List<String> written() {
        MutatingWebhookConfiguration configuration = client.admissionRegistration()
                .v1()
                .mutatingWebhookConfigurations()
                .withName(NAME)
                .get();
        return configuration.getWebhooks().stream()
                .map(webhook -> decoded(webhook.getClientConfig().getCaBundle()))
                .toList();
    }

    private static String decoded(String caBundle) {
        return new String(Base64.getDecoder().decode(caBundle), StandardCharsets.UTF_8);
    }
}
