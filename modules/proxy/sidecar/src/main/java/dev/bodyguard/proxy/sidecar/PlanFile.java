package dev.bodyguard.proxy.sidecar;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Timestamp;
import dev.bodyguard.identity.spiffe.AcceptedPeers;
import dev.bodyguard.identity.spiffe.PrivateFiles;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.identity.spiffe.SvidVerifier;
import dev.bodyguard.identity.spiffe.TrustBundle;
import dev.bodyguard.identity.spiffe.Verdict;
import dev.bodyguard.xds.protocol.sidecar.v1.RememberedPlan;
import dev.bodyguard.xds.protocol.sidecar.v1.SealedPlan;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The remembered plan in one private file, sealed with the SVID that the sidecar had when it wrote: a plan says whom
/// to
/// trust and where to send payments, so bytes that anybody else put there count for nothing.
final class PlanFile {
    /// Older than this a plan is not believed: what it says may have been revoked long ago.
    static final Duration LONGEST_LIFE = Duration.ofHours(24);

    private static final Duration CLOCKS_DIFFER = Duration.ofMinutes(1);
    private static final long LARGEST = 64L << 20;
    private static final String SIGNATURE = "SHA256withECDSA";

    private final Path file;
    private final SpiffeId self;
    private final InstantSource clock;

    PlanFile(Path folder, SpiffeId self, InstantSource clock) {
        this.file = folder.resolve("plan");
        this.self = self;
        this.clock = clock;
    }

    Path file() {
        return file;
    }

    /// Replaces what is kept.
    void write(List<RememberedPlan.Kind> kinds, Svid seal) throws IOException {
        var now = clock.instant();
        var plan = RememberedPlan.newBuilder()
                .setWrittenAt(
                        Timestamp.newBuilder().setSeconds(now.getEpochSecond()).setNanos(now.getNano()))
                .addAllKinds(kinds)
                .build()
                .toByteString();
        try {
            var signature = Signature.getInstance(SIGNATURE);
            signature.initSign(seal.key());
            signature.update(plan.asReadOnlyByteBuffer());
            var sealed = SealedPlan.newBuilder().setPlan(plan).setSignature(ByteString.copyFrom(signature.sign()));
            for (var certificate : seal.chain()) {
                sealed.addChain(ByteString.copyFrom(certificate.getEncoded()));
            }
            PrivateFiles.write(file, sealed.build().toByteArray());
        } catch (GeneralSecurityException broken) {
            throw new IOException("the plan could not be sealed: " + broken.getMessage(), broken);
        }
    }

    /// What is kept; empty where nothing is.
    ///
    /// @throws IOException where something is there that may not be believed, and why
    Optional<RememberedPlan> read(TrustBundle roots) throws IOException {
        try {
            if (Files.size(file) > LARGEST) {
                throw new IOException("it is larger than " + (LARGEST >> 20) + " MiB");
            }
            var sealed = SealedPlan.parseFrom(Files.readAllBytes(file));
            var plan = RememberedPlan.parseFrom(sealed.getPlan());
            var written = Instant.ofEpochSecond(
                    plan.getWrittenAt().getSeconds(), plan.getWrittenAt().getNanos());
            checkAge(written);
            checkSeal(sealed, written, roots);
            return Optional.of(plan);
        } catch (NoSuchFileException _) {
            return Optional.empty();
        } catch (InvalidProtocolBufferException | DateTimeException | GeneralSecurityException broken) {
            throw new IOException("it cannot be read: " + broken.getMessage(), broken);
        }
    }

    private void checkAge(Instant written) throws IOException {
        var now = clock.instant();
        if (written.isBefore(now.minus(LONGEST_LIFE))) {
            throw new IOException("it was last confirmed at " + written + ", more than " + LONGEST_LIFE.toHours()
                    + " h ago; a plan that old is not believed");
        }
        if (written.isAfter(now.plus(CLOCKS_DIFFER))) {
            throw new IOException("it says it was written at " + written + ", which has not come yet");
        }
    }

    private void checkSeal(SealedPlan sealed, Instant written, TrustBundle roots)
            throws IOException, GeneralSecurityException {
        var factory = CertificateFactory.getInstance("X.509");
        var chain = new ArrayList<X509Certificate>();
        for (var certificate : sealed.getChainList()) {
            chain.add(
                    (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(certificate.toByteArray())));
        }
        // At the time of writing: an SVID of ten seconds may seal a plan that is read an hour later.
        var verdict = new SvidVerifier(() -> roots, () -> written).verify(chain, new AcceptedPeers.OneOf(self));
        if (verdict instanceof Verdict.Refused(var _, var sentence)) {
            throw new IOException("its seal is not ours: " + sentence);
        }
        var signature = Signature.getInstance(SIGNATURE);
        signature.initVerify(chain.getFirst().getPublicKey());
        signature.update(sealed.getPlan().asReadOnlyByteBuffer());
        if (!signature.verify(sealed.getSignature().toByteArray())) {
            throw new IOException("its seal does not fit what is written; somebody changed it");
        }
    }
}
