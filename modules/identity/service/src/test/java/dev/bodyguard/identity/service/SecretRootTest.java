package dev.bodyguard.identity.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import dev.bodyguard.identity.authority.Authority;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.mockwebserver.Context;
import io.fabric8.mockwebserver.MockWebServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SecretRootTest {
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
    void givesEveryReplicaTheRootOfTheFirst() throws IOException {
        var first = open("cluster.local");
        var kept = kept();

        var second = open("cluster.local");

        assertThat(second.bundle()).isEqualTo(first.bundle());
        assertThat(kept()).isEqualTo(kept);
        new SecretRoot(client).keep(new SecretRoot(client).load().orElseThrow());
        assertThat(kept()).isEqualTo(kept);
    }

    @Test
    void doesNotWriteOverWhatIsNoRoot() throws IOException {
        open("cluster.local");
        client.secrets()
                .inNamespace("bodyguard-system")
                .withName("bodyguard-ca")
                .edit(secret -> {
                    secret.setData(Map.of(
                            "root-key.pem",
                            Base64.getEncoder().encodeToString("nonsense".getBytes(StandardCharsets.US_ASCII))));
                    return secret;
                });
        var kept = kept();

        assertThatIOException()
                .isThrownBy(() -> open("cluster.local"))
                .withMessage("Secret bodyguard-system/bodyguard-ca is not the root of an authority: expected one"
                        + " certificate, found 0; restore it, or delete it to start a new mesh whose workloads must"
                        + " join again");
        assertThat(kept()).isEqualTo(kept);
    }

    @Test
    void doesNotSignForAnotherTrustDomainThanTheRoots() throws IOException {
        open("cluster.local");

        assertThatIOException()
                .isThrownBy(() -> open("example.org"))
                .withMessage("the root in Secret bodyguard-system/bodyguard-ca is of spiffe://cluster.local, not of"
                        + " spiffe://example.org; name that trust domain, or keep this mesh's root elsewhere");
    }

    private Authority open(String trustDomain) throws IOException {
        return Authority.open(
                trustDomain,
                new SecretRoot(client),
                Authority.Lifetimes.DAY,
                _ -> {},
                InstantSource.system(),
                new SecureRandom());
    }

    private Map<String, String> kept() {
        return client.secrets()
                .inNamespace("bodyguard-system")
                .withName("bodyguard-ca")
                .get()
                .getData();
    }
}
