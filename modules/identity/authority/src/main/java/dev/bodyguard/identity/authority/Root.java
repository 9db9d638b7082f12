package dev.bodyguard.identity.authority;

import dev.bodyguard.identity.spiffe.Pem;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.Objects;

/// A self-signed CA certificate and its key.
public record Root(X509Certificate certificate, PrivateKey key) {
    public Root {
        Objects.requireNonNull(certificate);
        Objects.requireNonNull(key);
    }

    /// Reads what [#toPem] wrote: one certificate and the key that belongs to it.
    ///
    /// @throws GeneralSecurityException or IllegalArgumentException that says why it is none
    public static Root ofPem(String pem) throws GeneralSecurityException {
        var blocks = Pem.parse(pem);
        var certificates = Pem.certificates(blocks);
        if (certificates.size() != 1) {
            throw new GeneralSecurityException("expected one certificate, found " + certificates.size());
        }
        var root = new Root(certificates.getFirst(), Pem.privateKey(blocks));
        if (root.certificate().getBasicConstraints() < 0) {
            throw new GeneralSecurityException("its certificate may not sign others");
        }
        root.requireOneAnother();
        return root;
    }

    /// Certificate and key in one text, so that they always belong together. A secret.
    public String toPem() {
        return Pem.encode(certificate) + Pem.encode(key);
    }

    private void requireOneAnother() throws GeneralSecurityException {
        var probe = "probe".getBytes(StandardCharsets.US_ASCII);
        var signature = Signature.getInstance("SHA256withECDSA");
        signature.initSign(key);
        signature.update(probe);
        var signed = signature.sign();
        signature.initVerify(certificate.getPublicKey());
        signature.update(probe);
        if (!signature.verify(signed)) {
            throw new GeneralSecurityException("its key is not the certificate's");
        }
    }

    /// Without the key.
    @Override
    public String toString() {
        return certificate.getSubjectX500Principal() + " until "
                + certificate.getNotAfter().toInstant();
    }
}
