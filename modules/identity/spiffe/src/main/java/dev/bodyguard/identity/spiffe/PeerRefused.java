package dev.bodyguard.identity.spiffe;

import java.io.Serial;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertPathValidatorException.BasicReason;
import java.security.cert.CertificateException;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A handshake that ended because the peer did not prove to be somebody we accept. Its message is the verdict's
/// sentence.
public final class PeerRefused extends CertificateException {
    @Serial
    private static final long serialVersionUID = 1L;

    private static final int DEEPEST_CAUSE = 16;

    private final transient Verdict.Refused verdict;

    PeerRefused(Verdict.Refused verdict) {
        super(verdict.sentence(), cause(verdict));
        this.verdict = verdict;
    }

    /// From this, and from no message, TLS engines choose the alert that the peer gets to see.
    private static @Nullable Throwable cause(Verdict.Refused verdict) {
        return switch (verdict.reason()) {
            case EXPIRED -> new CertPathValidatorException(verdict.sentence(), null, null, -1, BasicReason.EXPIRED);
            case NOT_YET_VALID ->
                new CertPathValidatorException(verdict.sentence(), null, null, -1, BasicReason.NOT_YET_VALID);
            case NO_CERTIFICATE, UNKNOWN_ROOT, OTHER_TRUST_DOMAIN, WRONG_NAME, MALFORMED -> null;
        };
    }

    public Verdict.Refused verdict() {
        return verdict;
    }

    /// Why we refused the peer, where that is what made a handshake fail. A peer without a certificate never gets as
    /// far as a trust manager: each TLS implementation says so in its own words, which are understood here too.
    public static Optional<Verdict.Refused> in(@Nullable Throwable handshakeFailure) {
        var at = handshakeFailure;
        for (int depth = 0; at != null && depth < DEEPEST_CAUSE; depth++, at = at.getCause()) {
            if (at instanceof PeerRefused refused) {
                return Optional.of(refused.verdict());
            }
            if (saysNoCertificate(at.getMessage())) {
                return Optional.of(
                        new Verdict.Refused(Verdict.Reason.NO_CERTIFICATE, "the peer presented no certificate"));
            }
        }
        return Optional.empty();
    }

    private static boolean saysNoCertificate(@Nullable String message) {
        if (message == null) {
            return false;
        }
        var text = message.toLowerCase(Locale.ROOT);
        return text.contains("peer_did_not_return_a_certificate") // BoringSSL
                || text.contains("empty client certificate chain") // JDK
                || text.contains("empty server certificate chain")
                || text.contains("peer did not return a certificate");
    }
}
