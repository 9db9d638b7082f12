package dev.bodyguard.identity.service;

import dev.bodyguard.identity.authority.Root;
import dev.bodyguard.identity.authority.RootStore;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Resource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Base64;
import java.util.Optional;

/// A root in the Secret `bodyguard-ca` of the control plane's namespace, which is made once and never written again: of
/// several replicas the first one's root is everybody's.
///
/// A `KubernetesClientException` says that the API server did not do as it was asked.
record SecretRoot(KubernetesClient client) implements RootStore {
    static final String NAME = "bodyguard-ca";
    /// As in a folder: certificate and key together.
    private static final String KEY = "root-key.pem";

    private static final int ALREADY_EXISTS = 409;

    @Override
    public Optional<Root> load() throws IOException {
        var secret = resource().get();
        if (secret == null) {
            return Optional.empty();
        }
        var data = secret.getData();
        var encoded = data == null ? null : data.get(KEY);
        try {
            if (encoded == null) {
                throw new GeneralSecurityException("it has no key " + KEY);
            }
            return Optional.of(Root.ofPem(new String(Base64.getDecoder().decode(encoded), StandardCharsets.US_ASCII)));
        } catch (GeneralSecurityException | IllegalArgumentException broken) {
            throw new IOException(
                    this + " is not the root of an authority: " + broken.getMessage()
                            + "; restore it, or delete it to start a new mesh whose workloads must join again",
                    broken);
        }
    }

    @Override
    public void keep(Root root) {
        var secret = new SecretBuilder()
                .withNewMetadata()
                .withName(NAME)
                .withNamespace(ServerSvid.NAMESPACE)
                .addToLabels("app.kubernetes.io/part-of", "bodyguard")
                .addToLabels("app.kubernetes.io/managed-by", "bodyguard")
                .endMetadata()
                .withType("Opaque")
                .addToData(KEY, Base64.getEncoder().encodeToString(root.toPem().getBytes(StandardCharsets.US_ASCII)))
                .build();
        try {
            client.secrets().inNamespace(ServerSvid.NAMESPACE).resource(secret).create();
        } catch (KubernetesClientException failed) {
            if (failed.getCode() != ALREADY_EXISTS) {
                throw failed;
            }
        }
    }

    private Resource<Secret> resource() {
        return client.secrets().inNamespace(ServerSvid.NAMESPACE).withName(NAME);
    }

    @Override
    public String toString() {
        return "Secret " + ServerSvid.NAMESPACE + "/" + NAME;
    }
}
