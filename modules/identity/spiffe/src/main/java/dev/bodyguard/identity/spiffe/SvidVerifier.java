package dev.bodyguard.identity.spiffe;

import dev.bodyguard.identity.spiffe.Verdict.Reason;
import dev.bodyguard.identity.spiffe.Verdict.Refused;
import dev.bodyguard.identity.spiffe.Verdict.Trusted;
import java.security.GeneralSecurityException;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertPathValidatorException.BasicReason;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateParsingException;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/// Judges a peer's chain: X.509-SVID specification §5, on top of the path validation of RFC 5280.
///
/// It keeps nothing between calls and may be used from any thread. The bundle is asked for each time, so that a
/// rotated root is trusted by the next handshake.
public final class SvidVerifier {
    /// Far more than any mesh has; bounds what a stranger can make us verify.
    private static final int LONGEST_CHAIN = 8;

    private static final int NAMES_IN_A_SENTENCE = 5;
    /// Indexes into `X509Certificate.getKeyUsage()`.
    private static final int DIGITAL_SIGNATURE = 0;

    private static final int KEY_CERT_SIGN = 5;
    private static final int CRL_SIGN = 6;
    /// Type of a uniformResourceIdentifier in `X509Certificate.getSubjectAlternativeNames()`.
    private static final Integer URI = 6;

    private static final List<String> TLS_PURPOSES = List.of("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "2.5.29.37.0");

    private final Supplier<TrustBundle> bundle;
    private final InstantSource clock;

    public SvidVerifier(Supplier<TrustBundle> bundle, InstantSource clock) {
        this.bundle = Objects.requireNonNull(bundle);
        this.clock = Objects.requireNonNull(clock);
    }

    /// Whether the chain proves somebody among `accepted`.
    ///
    /// @param presented the peer's chain, leaf first; the root may be among it and counts for nothing
    public Verdict verify(List<X509Certificate> presented, AcceptedPeers accepted) {
        if (presented.isEmpty()) {
            return new Refused(Reason.NO_CERTIFICATE, "the peer presented no certificate");
        }
        if (presented.size() > LONGEST_CHAIN) {
            return malformed(
                    "the peer presented " + presented.size() + " certificates, at most " + LONGEST_CHAIN + " are read");
        }
        var leaf = presented.getFirst();
        return switch (idOf(leaf)) {
            case Refused refused -> refused;
            case Trusted(var claimed) -> verify(claimed, leaf, presented, accepted);
        };
    }

    private Verdict verify(
            SpiffeId claimed, X509Certificate leaf, List<X509Certificate> presented, AcceptedPeers accepted) {
        var trusted = bundle.get();
        if (!claimed.trustDomain().equals(trusted.trustDomain())) {
            return new Refused(
                    Reason.OTHER_TRUST_DOMAIN,
                    "the peer says it is " + claimed + ", of trust domain " + claimed.trustDomain()
                            + "; this mesh is trust domain " + trusted.trustDomain());
        }
        var shape = shapeOf(leaf, claimed);
        if (shape instanceof Refused) {
            return shape;
        }
        var path = path(claimed, presented, trusted, clock.instant());
        if (path instanceof Refused) {
            return path;
        }
        return switch (accepted) {
            case AcceptedPeers.EveryMember _ -> path;
            case AcceptedPeers.OneOf(var ids) ->
                ids.contains(claimed)
                        ? path
                        : new Refused(Reason.WRONG_NAME, "the peer is " + claimed + ", accepted here is " + names(ids));
        };
    }

    /// The id a certificate claims: exactly one URI name, a valid SPIFFE id (X.509-SVID §2). Nothing is proven by it.
    public static Verdict idOf(X509Certificate certificate) {
        var uris = new ArrayList<String>();
        try {
            var names = certificate.getSubjectAlternativeNames();
            if (names != null) {
                for (var name : names) {
                    if (URI.equals(name.get(0)) && name.get(1) instanceof String uri) {
                        uris.add(uri);
                    }
                }
            }
        } catch (CertificateParsingException broken) {
            return malformed("the names in the peer's certificate cannot be read: " + broken.getMessage());
        }
        if (uris.size() != 1) {
            return malformed("the peer's certificate has " + uris.size()
                    + " URI names, an X.509-SVID has exactly one; its subject is "
                    + SpiffeId.quoted(certificate.getSubjectX500Principal().getName()));
        }
        try {
            return new Trusted(SpiffeId.parse(uris.getFirst()));
        } catch (IllegalArgumentException notAnId) {
            return malformed("the URI name in the peer's certificate is no SPIFFE id: " + notAnId.getMessage());
        }
    }

    private static Verdict shapeOf(X509Certificate leaf, SpiffeId claimed) {
        var wrong = new ArrayList<String>();
        if (claimed.path().isEmpty()) {
            wrong.add("its id has no path");
        }
        if (leaf.getBasicConstraints() >= 0) {
            wrong.add("it is a CA certificate");
        }
        var usage = leaf.getKeyUsage();
        if (usage == null || !usage[DIGITAL_SIGNATURE]) {
            wrong.add("its key usage lacks digitalSignature");
        } else if (usage[KEY_CERT_SIGN] || usage[CRL_SIGN]) {
            wrong.add("its key usage allows signing certificates or revocation lists");
        }
        try {
            var purposes = leaf.getExtendedKeyUsage();
            if (purposes != null && purposes.stream().noneMatch(TLS_PURPOSES::contains)) {
                wrong.add("its extended key usage is not for TLS");
            }
        } catch (CertificateParsingException broken) {
            wrong.add("its extended key usage cannot be read");
        }
        return wrong.isEmpty()
                ? new Trusted(claimed)
                : malformed("the certificate of " + claimed + " is not an X.509-SVID: " + String.join(", ", wrong));
    }

    private static Verdict path(SpiffeId claimed, List<X509Certificate> presented, TrustBundle trusted, Instant now) {
        var anchors = new HashSet<TrustAnchor>();
        for (var root : trusted.roots()) {
            // PKIX looks at an anchor's name and key only; an expired root must not vouch for anybody either.
            if (!now.isAfter(root.getNotAfter().toInstant())) {
                anchors.add(new TrustAnchor(root, null));
            }
        }
        if (anchors.isEmpty()) {
            return new Refused(
                    Reason.EXPIRED,
                    "every root of trust domain " + trusted.trustDomain() + " has expired, the last at "
                            + trusted.roots().getLast().getNotAfter().toInstant() + "; it is now " + now);
        }
        var chain = presented.stream()
                .filter(certificate -> !trusted.roots().contains(certificate))
                .toList();
        try {
            var parameters = new PKIXParameters(anchors);
            parameters.setRevocationEnabled(false);
            parameters.setDate(Date.from(now));
            CertPathValidator.getInstance("PKIX")
                    .validate(CertificateFactory.getInstance("X.509").generateCertPath(chain), parameters);
            return new Trusted(claimed);
        } catch (CertPathValidatorException refused) {
            return refusal(claimed, chain, trusted, now, refused);
        } catch (GeneralSecurityException broken) {
            return malformed("the certificate chain of " + claimed + " cannot be checked: " + broken.getMessage());
        }
    }

    private static Refused refusal(
            SpiffeId claimed,
            List<X509Certificate> chain,
            TrustBundle trusted,
            Instant now,
            CertPathValidatorException refused) {
        var at = Math.max(refused.getIndex(), 0);
        var culprit = chain.get(at);
        var subject = at == 0
                ? "the certificate of " + claimed
                : "the intermediate certificate "
                        + SpiffeId.quoted(culprit.getSubjectX500Principal().getName()) + " of " + claimed;
        var reason = refused.getReason();
        if (reason == BasicReason.EXPIRED) {
            return new Refused(
                    Reason.EXPIRED,
                    subject + " expired at " + culprit.getNotAfter().toInstant() + "; it is now " + now);
        }
        if (reason == BasicReason.NOT_YET_VALID) {
            return new Refused(
                    Reason.NOT_YET_VALID,
                    subject + " is valid only from " + culprit.getNotBefore().toInstant() + " on; it is now " + now
                            + ": compare the clocks of both machines");
        }
        return new Refused(
                Reason.UNKNOWN_ROOT,
                "the certificate of " + claimed + " does not lead to a root of trust domain " + trusted.trustDomain()
                        + "; it was issued by "
                        + SpiffeId.quoted(
                                chain.getLast().getIssuerX500Principal().getName()) + " ("
                        + refused.getMessage() + ")");
    }

    private static String names(Set<SpiffeId> ids) {
        if (ids.isEmpty()) {
            return "nobody: no service account is known for this destination";
        }
        var shown = ids.stream()
                .map(SpiffeId::toString)
                .sorted()
                .limit(NAMES_IN_A_SENTENCE)
                .collect(Collectors.joining(" or "));
        return ids.size() <= NAMES_IN_A_SENTENCE
                ? shown
                : shown + " or one of " + (ids.size() - NAMES_IN_A_SENTENCE) + " others";
    }

    private static Refused malformed(String sentence) {
        return new Refused(Reason.MALFORMED, sentence);
    }
}
