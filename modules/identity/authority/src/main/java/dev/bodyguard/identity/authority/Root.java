package dev.bodyguard.identity.authority;

import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Objects;

/// A self-signed CA certificate and its key.
public record Root(X509Certificate certificate, PrivateKey key) {
    public Root {
        Objects.requireNonNull(certificate);
        Objects.requireNonNull(key);
    }

    /// Without the key.
    @Override
    public String toString() {
        return certificate.getSubjectX500Principal() + " until "
                + certificate.getNotAfter().toInstant();
    }
}
