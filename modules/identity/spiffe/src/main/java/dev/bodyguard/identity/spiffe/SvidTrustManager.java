package dev.bodyguard.identity.spiffe;

import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/// A TLS engine's question to the verifier, on either side of a connection.
///
/// It extends `X509ExtendedTrustManager` on purpose: engines add a host name check of their own to a plain
/// `X509TrustManager`, and an SVID has no host name.
public final class SvidTrustManager extends X509ExtendedTrustManager {
    private final SvidVerifier verifier;
    private final AcceptedPeers accepted;
    private final Consumer<Verdict.Refused> onRefused;

    /// For one side of any number of connections.
    ///
    /// @param onRefused hears every refusal, on the thread that does the handshake, before the handshake fails
    public SvidTrustManager(SvidVerifier verifier, AcceptedPeers accepted, Consumer<Verdict.Refused> onRefused) {
        this.verifier = Objects.requireNonNull(verifier);
        this.accepted = Objects.requireNonNull(accepted);
        this.onRefused = Objects.requireNonNull(onRefused);
    }

    private void check(X509Certificate @Nullable [] chain) throws PeerRefused {
        switch (verifier.verify(chain == null ? List.of() : List.of(chain), accepted)) {
            case Verdict.Trusted _ -> {}
            case Verdict.Refused refused -> {
                onRefused.accept(refused);
                throw new PeerRefused(refused);
            }
        }
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        check(chain);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        check(chain);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        check(chain);
    }

    /// None: a server's hint which roots it takes costs bytes in each handshake, and a mesh has one authority.
    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return new X509Certificate[0];
    }
}
