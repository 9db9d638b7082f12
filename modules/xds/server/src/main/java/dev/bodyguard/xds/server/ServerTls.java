package dev.bodyguard.xds.server;

import dev.bodyguard.identity.spiffe.Svid;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;

/// A server's half of TLS.
///
/// @param chain its certificate first
/// @param trust roots that client certificates must lead to
public record ServerTls(
        PrivateKey key, List<X509Certificate> chain, List<X509Certificate> trust, ClientCertificates clients) {
    /// Whether clients must show a certificate.
    public enum ClientCertificates {
        REQUIRED,
        NOT_ASKED_FOR
    }

    public ServerTls {
        chain = List.copyOf(chain);
        trust = List.copyOf(trust);
        if (chain.isEmpty()) {
            throw new IllegalArgumentException("a TLS server needs a certificate chain, this one is empty");
        }
        if (trust.isEmpty() && clients == ClientCertificates.REQUIRED) {
            throw new IllegalArgumentException("client certificates are required, but no root is trusted");
        }
    }

    /// A server of the mesh: it shows this SVID, and its clients must show theirs.
    public static ServerTls of(Svid svid) {
        return new ServerTls(svid.key(), svid.chain(), svid.bundle().roots(), ClientCertificates.REQUIRED);
    }

    /// Without the key.
    @Override
    public String toString() {
        return "ServerTls[" + chain.getFirst().getSubjectX500Principal() + ", client certificates " + clients + "]";
    }
}
