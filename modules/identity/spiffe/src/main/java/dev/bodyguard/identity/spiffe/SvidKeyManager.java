package dev.bodyguard.identity.spiffe;

import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/// Gives a TLS engine the SVID of the moment, so that a renewed one is used by the next handshake without a new
/// context.
///
/// An engine asks three times in a handshake: for an alias, for its chain, for its key. An alias therefore names one
/// SVID (its serial), and the last few stay known, so that a renewal in between cannot mix one's chain with the
/// other's key.
public final class SvidKeyManager extends X509ExtendedKeyManager {
    private static final int REMEMBERED = 4;

    private final Supplier<@Nullable Svid> current;
    private volatile List<Svid> recent = List.of();

    /// For any number of connections.
    ///
    /// @param current the SVID of the moment; null where there is none yet, and no certificate is presented
    public SvidKeyManager(Supplier<@Nullable Svid> current) {
        this.current = Objects.requireNonNull(current);
    }

    private @Nullable String alias(String... keyTypes) {
        var svid = current.get();
        if (svid == null) {
            return null;
        }
        for (var keyType : keyTypes) {
            // JDK: EC. OpenSSL: EC_EC (ECDHE, ECDSA). Either may append the group or the hash after a further mark.
            if (keyType.equals(svid.key().getAlgorithm()) || keyType.equals("EC_EC")) {
                remember(svid);
                return svid.serial();
            }
        }
        return null;
    }

    private void remember(Svid svid) {
        if (!recent.contains(svid)) {
            synchronized (this) {
                var next = new ArrayList<Svid>();
                next.add(svid);
                recent.stream()
                        .filter(known -> !known.equals(svid))
                        .limit(REMEMBERED - 1)
                        .forEach(next::add);
                recent = List.copyOf(next);
            }
        }
    }

    private @Nullable Svid named(@Nullable String alias) {
        for (var svid : recent) {
            if (svid.serial().equals(alias)) {
                return svid;
            }
        }
        return null;
    }

    @Override
    public X509Certificate @Nullable [] getCertificateChain(@Nullable String alias) {
        var svid = named(alias);
        return svid == null ? null : svid.chain().toArray(X509Certificate[]::new);
    }

    @Override
    public @Nullable PrivateKey getPrivateKey(@Nullable String alias) {
        var svid = named(alias);
        return svid == null ? null : svid.key();
    }

    @Override
    public @Nullable String chooseClientAlias(
            String[] keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return alias(keyType);
    }

    @Override
    public @Nullable String chooseEngineClientAlias(
            String[] keyType, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
        return alias(keyType);
    }

    @Override
    public @Nullable String chooseServerAlias(String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return alias(keyType);
    }

    @Override
    public @Nullable String chooseEngineServerAlias(
            String keyType, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
        return alias(keyType);
    }

    @Override
    public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
        var alias = alias(keyType);
        return alias == null ? null : new String[] {alias};
    }

    @Override
    public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
        return getClientAliases(keyType, issuers);
    }
}
