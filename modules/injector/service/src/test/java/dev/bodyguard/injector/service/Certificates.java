package dev.bodyguard.injector.service;

import dev.bodyguard.identity.authority.Authority;
import dev.bodyguard.identity.authority.Root;
import dev.bodyguard.identity.authority.RootStore;
import dev.bodyguard.identity.authority.ServerNames;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.identity.spiffe.TrustBundle;
import java.io.IOException;
import java.net.http.HttpClient;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/// One mesh's certificates, and clients that know it by its root, as the API server does.
final class Certificates {
    private final Authority authority;

    Certificates() throws IOException {
        authority = Authority.open(
                "cluster.local",
                new Store(),
                Authority.Lifetimes.DAY,
                _ -> {},
                InstantSource.system(),
                new SecureRandom());
    }

    TrustBundle roots() {
        return authority.bundle();
    }

    Svid svid() throws IOException {
        return authority.issue(
                SpiffeId.ofServiceAccount("cluster.local", "bodyguard-system", "injector"),
                Duration.ofHours(1),
                ServerNames.loopback());
    }

    /// Checks the host name and knows no other root.
    HttpClient client() throws GeneralSecurityException, IOException {
        var store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        store.setCertificateEntry("root", authority.bundle().roots().getFirst());
        var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        var context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), new SecureRandom());
        return HttpClient.newBuilder()
                .sslContext(context)
                .connectTimeout(Duration.ofSeconds(10))
                .build();
    }

    private static final class Store implements RootStore {
        private @Nullable Root root;

        @Override
        public Optional<Root> load() {
            return Optional.ofNullable(root);
        }

        @Override
        public void keep(Root kept) {
            root = kept;
        }
    }
}
