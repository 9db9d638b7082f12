package dev.bodyguard.identity.spiffe;

import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Supplier;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;

/// The JDK's TLS, with SVIDs on both sides.
///
/// @param own what to show at each handshake
/// @param accepted whom to accept
/// @param onRefused hears why a peer was not accepted
public record MeshTls(
        Supplier<@Nullable Svid> own,
        SvidVerifier verifier,
        AcceptedPeers accepted,
        Consumer<Verdict.Refused> onRefused) {
    public MeshTls {
        Objects.requireNonNull(own);
        Objects.requireNonNull(verifier);
        Objects.requireNonNull(accepted);
        Objects.requireNonNull(onRefused);
    }

    /// A context that need not be replaced when the SVID or the roots rotate: it asks at each handshake.
    public SSLContext context() {
        try {
            var context = SSLContext.getInstance("TLSv1.3");
            context.init(
                    new KeyManager[] {new SvidKeyManager(own)},
                    new TrustManager[] {new SvidTrustManager(verifier, accepted, onRefused)},
                    new SecureRandom());
            // A resumed session would go on with the certificates that it began with, expired or not.
            context.getServerSessionContext().setSessionTimeout(1);
            context.getClientSessionContext().setSessionTimeout(1);
            return context;
        } catch (GeneralSecurityException missing) {
            throw new IllegalStateException("this JDK has no TLS 1.3", missing);
        }
    }
}
