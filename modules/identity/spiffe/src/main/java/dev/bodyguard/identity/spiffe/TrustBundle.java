package dev.bodyguard.identity.spiffe;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.stream.Collectors;

/// The roots that may vouch for the members of one trust domain; the one that signs now stands first.
public record TrustBundle(String trustDomain, List<X509Certificate> roots) {
    /// RFC 5280 §4.2.1.6, `uniformResourceIdentifier`.
    private static final int URI = 6;

    public TrustBundle {
        // A trust domain is valid where the id of the domain itself is.
        trustDomain = new SpiffeId(trustDomain, "").trustDomain();
        roots = List.copyOf(roots);
        if (roots.isEmpty()) {
            throw new IllegalArgumentException("the trust bundle of " + trustDomain + " has no root certificate");
        }
        for (var root : roots) {
            if (root.getBasicConstraints() < 0) {
                throw new IllegalArgumentException("the trust bundle of " + trustDomain + " holds '"
                        + root.getSubjectX500Principal() + "', which is not a CA certificate");
            }
        }
    }

    /// Reads PEM; an `IllegalArgumentException` says why it is no bundle.
    public static TrustBundle ofPem(String trustDomain, String pem) {
        try {
            return new TrustBundle(trustDomain, Pem.certificates(Pem.parse(pem)));
        } catch (CertificateException broken) {
            throw new IllegalArgumentException(
                    "the trust bundle of " + trustDomain + " holds a broken certificate: " + broken.getMessage(),
                    broken);
        }
    }

    /// Reads a PEM file such as `root.pem`; the exception names the file.
    public static TrustBundle read(String trustDomain, Path file) throws IOException {
        try {
            return ofPem(trustDomain, Files.readString(file));
        } catch (IllegalArgumentException broken) {
            throw new IOException(file + ": " + broken.getMessage(), broken);
        }
    }

    /// Reads a PEM file of the trust domain that its first root names (X.509-SVID §4.2 has it in the certificate's
    /// URI), as
    /// the roots do that identity founds.
    public static TrustBundle read(Path file) throws IOException {
        try {
            var roots = Pem.certificates(Pem.parse(Files.readString(file)));
            if (roots.isEmpty()) {
                throw new IOException(file + " has no root certificate");
            }
            return new TrustBundle(named(roots.getFirst()).trustDomain(), roots);
        } catch (CertificateException | IllegalArgumentException broken) {
            throw new IOException(file + ": " + broken.getMessage(), broken);
        }
    }

    private static SpiffeId named(X509Certificate root) throws CertificateException {
        var names = root.getSubjectAlternativeNames();
        for (var name : names == null ? List.<List<?>>of() : names) {
            if (name.get(0) instanceof Integer kind && kind == URI && name.get(1) instanceof String uri) {
                return SpiffeId.parse(uri);
            }
        }
        throw new CertificateException("the root '" + root.getSubjectX500Principal() + "' names no trust domain");
    }

    /// Writes the PEM file in one step.
    public void write(Path file) throws IOException {
        PrivateFiles.write(file, toPem().getBytes(StandardCharsets.UTF_8));
    }

    public String toPem() {
        return roots.stream().map(Pem::encode).collect(Collectors.joining());
    }

    /// The trust domain and the roots' names; a certificate's own text is two pages.
    @Override
    public String toString() {
        return roots.stream()
                .map(root -> root.getSubjectX500Principal().toString())
                .collect(Collectors.joining("; ", trustDomain + " [", "]"));
    }
}
