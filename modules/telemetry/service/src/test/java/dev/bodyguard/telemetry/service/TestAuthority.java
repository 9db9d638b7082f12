package dev.bodyguard.telemetry.service;

import dev.bodyguard.identity.authority.Authority;
import dev.bodyguard.identity.authority.Root;
import dev.bodyguard.identity.authority.RootStore;
import dev.bodyguard.identity.authority.ServerNames;
import dev.bodyguard.identity.spiffe.AcceptedPeers;
import dev.bodyguard.identity.spiffe.MeshTls;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.identity.spiffe.SvidVerifier;
import java.io.IOException;
import java.net.http.HttpClient;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/// Certificates of one mesh, and clients that show them.
final class TestAuthority {
    private final Authority authority;

    TestAuthority() throws IOException {
        authority = Authority.open(
                "cluster.local",
                new Store(),
                Authority.Lifetimes.DAY,
                _ -> {},
                InstantSource.system(),
                new SecureRandom());
    }

    Svid svid(String namespace, String account) throws IOException {
        return authority.issue(
                SpiffeId.ofServiceAccount("cluster.local", namespace, account),
                Duration.ofHours(1),
                ServerNames.loopback());
    }

    SSLContext tls(@Nullable Svid svid) {
        return new MeshTls(
                        () -> svid,
                        new SvidVerifier(authority::bundle, InstantSource.system()),
                        new AcceptedPeers.EveryMember(),
                        _ -> {})
                .context();
    }

    HttpClient client(@Nullable Svid svid) {
        return HttpClient.newBuilder()
                .sslContext(tls(svid))
                .connectTimeout(Duration.ofSeconds(5))
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
