package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.identity.authority.Authority;
import dev.bodyguard.identity.authority.Root;
import dev.bodyguard.identity.authority.RootStore;
import dev.bodyguard.identity.authority.ServerNames;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.Svid;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Certificates of one mesh, some of them out of date.
final class TestAuthority {
    private final Store store = new Store();
    private final String trustDomain;

    TestAuthority(String trustDomain) throws IOException {
        this.trustDomain = trustDomain;
        // Founded so long ago that it could have signed what has expired since.
        var _ = at(InstantSource.offset(InstantSource.system(), Duration.ofDays(-30)));
    }

    Svid svid(String account) throws IOException {
        return at(InstantSource.system()).issue(id(account), Duration.ofHours(1), ServerNames.NONE);
    }

    Svid expired(String account) throws IOException {
        return at(InstantSource.offset(InstantSource.system(), Duration.ofDays(-3)))
                .issue(id(account), Duration.ofHours(1), ServerNames.NONE);
    }

    SpiffeId id(String account) {
        return SpiffeId.ofServiceAccount(trustDomain, "default", account);
    }

    private Authority at(InstantSource clock) throws IOException {
        return Authority.open(trustDomain, store, Authority.Lifetimes.DAY, _ -> {}, clock, new SecureRandom());
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
