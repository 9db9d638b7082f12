package dev.bodyguard.identity.client;

import dev.bodyguard.identity.spiffe.AcceptedPeers;
import dev.bodyguard.identity.spiffe.Pem;
import dev.bodyguard.identity.spiffe.PrivateFiles;
import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.identity.spiffe.SvidVerifier;
import dev.bodyguard.identity.spiffe.TrustBundle;
import dev.bodyguard.identity.spiffe.Verdict;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;

/// An SVID in one private file, so that key, chain and roots always belong together. PEM, with the time of issue in
/// its first line as explanatory text (RFC 7468 §2).
final class KeptSvid {
    private static final String ISSUED = "Issued: ";

    private final Path file;

    KeptSvid(Path folder) {
        this.file = folder.resolve("svid.pem");
    }

    Path file() {
        return file;
    }

    void keep(Svid svid) throws IOException {
        var text = new StringBuilder(ISSUED).append(svid.issuedAt()).append('\n');
        text.append(Pem.encode(svid.key()));
        svid.chain().forEach(certificate -> text.append(Pem.encode(certificate)));
        text.append(svid.bundle().toPem());
        PrivateFiles.write(file, text.toString().getBytes(StandardCharsets.US_ASCII));
    }

    /// What is kept, if it still proves who we are.
    Optional<Svid> resume(Enrolment enrolment, InstantSource clock) throws IOException {
        try {
            var text = Files.readString(file);
            var blocks = Pem.parse(text);
            var certificates = Pem.certificates(blocks);
            var chain = certificates.stream().filter(c -> !isRoot(c)).toList();
            var roots = certificates.stream().filter(KeptSvid::isRoot).toList();
            var svid = new Svid(
                    enrolment.id(),
                    Pem.privateKey(blocks),
                    chain,
                    new TrustBundle(enrolment.id().trustDomain(), roots),
                    issued(text));
            if (!belongTogether(svid.key(), svid.leaf().getPublicKey())) {
                throw new IOException("its key is not the certificate's");
            }
            var verdict =
                    new SvidVerifier(enrolment::roots, clock).verify(chain, new AcceptedPeers.OneOf(enrolment.id()));
            return switch (verdict) {
                case Verdict.Trusted _ -> Optional.of(svid);
                case Verdict.Refused(var _, var sentence) -> throw new IOException(sentence);
            };
        } catch (NoSuchFileException _) {
            return Optional.empty();
        } catch (GeneralSecurityException | IllegalArgumentException | DateTimeException broken) {
            throw new IOException(broken.getMessage(), broken);
        }
    }

    private static boolean isRoot(X509Certificate certificate) {
        return certificate.getSubjectX500Principal().equals(certificate.getIssuerX500Principal());
    }

    private static Instant issued(String text) throws IOException {
        var end = text.indexOf('\n');
        if (end < 0 || !text.startsWith(ISSUED)) {
            throw new IOException("its first line does not say when it was issued");
        }
        return Instant.parse(text.substring(ISSUED.length(), end));
    }

    static boolean belongTogether(PrivateKey key, PublicKey certified) throws GeneralSecurityException {
        var probe = "probe".getBytes(StandardCharsets.US_ASCII);
        var signature = Signature.getInstance("SHA256withECDSA");
        signature.initSign(key);
        signature.update(probe);
        var signed = signature.sign();
        signature.initVerify(certified);
        signature.update(probe);
        return signature.verify(signed);
    }
}
