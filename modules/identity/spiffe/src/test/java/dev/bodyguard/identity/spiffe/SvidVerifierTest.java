package dev.bodyguard.identity.spiffe;

import static dev.bodyguard.identity.spiffe.TestRoot.NOW;
import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.identity.spiffe.TestRoot.Leaf;
import dev.bodyguard.identity.spiffe.Verdict.Reason;
import dev.bodyguard.identity.spiffe.Verdict.Refused;
import dev.bodyguard.identity.spiffe.Verdict.Trusted;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.junit.jupiter.api.Test;

class SvidVerifierTest {
    private static final String CHECKOUT = "spiffe://cluster.local/ns/default/sa/checkout";
    private static final String PAYMENT = "spiffe://cluster.local/ns/default/sa/payment-service";
    private static final AcceptedPeers ANYBODY = new AcceptedPeers.EveryMember();

    private final TestRoot root = new TestRoot("cluster.local", "CN=mesh root");

    @Test
    void trustsAMember() {
        assertThat(verify(NOW, ANYBODY, root.sign(Leaf.named(CHECKOUT))))
                .isEqualTo(new Trusted(SpiffeId.parse(CHECKOUT)));
    }

    @Test
    void trustsAMemberThatSendsTheRootAlong() {
        assertThat(verify(NOW, ANYBODY, root.sign(Leaf.named(CHECKOUT)), root.certificate()))
                .isInstanceOf(Trusted.class);
    }

    @Test
    void trustsExactlyWhoIsLookedFor() {
        var accepted = new AcceptedPeers.OneOf(SpiffeId.parse(PAYMENT));

        assertThat(verify(NOW, accepted, root.sign(Leaf.named(PAYMENT)))).isInstanceOf(Trusted.class);
        assertThat(verify(NOW, accepted, root.sign(Leaf.named(CHECKOUT))))
                .isEqualTo(new Refused(Reason.WRONG_NAME, "the peer is " + CHECKOUT + ", accepted here is " + PAYMENT));
    }

    @Test
    void trustsNobodyWhereNobodyIsLookedFor() {
        var verdict = verify(NOW, new AcceptedPeers.OneOf(Set.of()), root.sign(Leaf.named(CHECKOUT)));

        assertThat(refused(verdict, Reason.WRONG_NAME)).contains("no service account is known");
    }

    @Test
    void refusesWhoShowsNothing() {
        assertThat(refused(verify(NOW, ANYBODY), Reason.NO_CERTIFICATE)).contains("no certificate");
    }

    @Test
    void namesBothClocksWhenACertificateExpired() {
        var until = NOW.minus(Duration.ofMinutes(1));
        var verdict = verify(NOW, ANYBODY, root.sign(Leaf.named(CHECKOUT).until(until)));

        assertThat(verdict)
                .isEqualTo(new Refused(
                        Reason.EXPIRED,
                        "the certificate of " + CHECKOUT + " expired at " + until + "; it is now " + NOW));
    }

    @Test
    void namesBothClocksWhenACertificateIsNotYetValid() {
        var from = NOW.plus(Duration.ofMinutes(1));
        var verdict = verify(NOW, ANYBODY, root.sign(Leaf.named(CHECKOUT).from(from)));

        assertThat(refused(verdict, Reason.NOT_YET_VALID)).contains(from.toString(), NOW.toString(), "clocks");
    }

    @Test
    void refusesAnIdOfAnotherTrustDomain() {
        var other = new TestRoot("other.example", "CN=other root");
        var verdict = verify(NOW, ANYBODY, other.sign(Leaf.named("spiffe://other.example/ns/default/sa/checkout")));

        assertThat(refused(verdict, Reason.OTHER_TRUST_DOMAIN)).contains("other.example", "cluster.local");
    }

    @Test
    void refusesAnIdOfAnotherTrustDomainEvenFromOurRoot() {
        var verdict = verify(NOW, ANYBODY, root.sign(Leaf.named("spiffe://other.example/ns/default/sa/checkout")));

        assertThat(refused(verdict, Reason.OTHER_TRUST_DOMAIN)).contains("other.example");
    }

    @Test
    void refusesOurIdsFromAnotherRoot() {
        var forger = new TestRoot("cluster.local", "CN=forger");
        var verdict = verify(NOW, ANYBODY, forger.sign(Leaf.named(CHECKOUT)), forger.certificate());

        assertThat(refused(verdict, Reason.UNKNOWN_ROOT)).contains(CHECKOUT, "CN=forger");
    }

    @Test
    void refusesOurIdsFromAnotherRootOfTheSameName() {
        var forger = new TestRoot("cluster.local", "CN=mesh root");

        refused(verify(NOW, ANYBODY, forger.sign(Leaf.named(CHECKOUT))), Reason.UNKNOWN_ROOT);
    }

    @Test
    void refusesWhatIsNoSvid() {
        var usage = KeyUsage.digitalSignature;
        assertThat(refused(verify(NOW, ANYBODY, root.sign(Leaf.named())), Reason.MALFORMED))
                .contains("0 URI names");
        assertThat(refused(verify(NOW, ANYBODY, root.sign(Leaf.named(CHECKOUT, PAYMENT))), Reason.MALFORMED))
                .contains("2 URI names");
        assertThat(refused(verify(NOW, ANYBODY, root.sign(Leaf.named("https://x/y"))), Reason.MALFORMED))
                .contains("no SPIFFE id");
        assertThat(refused(verify(NOW, ANYBODY, root.sign(Leaf.named(CHECKOUT).asCa())), Reason.MALFORMED))
                .contains("is a CA certificate");
        assertThat(refused(
                        verify(NOW, ANYBODY, root.sign(Leaf.named(CHECKOUT).withUsage(usage | KeyUsage.keyCertSign))),
                        Reason.MALFORMED))
                .contains("signing certificates");
        assertThat(refused(
                        verify(NOW, ANYBODY, root.sign(Leaf.named(CHECKOUT).withUsage(KeyUsage.keyAgreement))),
                        Reason.MALFORMED))
                .contains("lacks digitalSignature");
        assertThat(refused(verify(NOW, ANYBODY, root.sign(Leaf.named("spiffe://cluster.local"))), Reason.MALFORMED))
                .contains("no path");
    }

    @Test
    void doesNotReadAChainWithoutEnd() {
        var many = Collections.nCopies(9, root.sign(Leaf.named(CHECKOUT)));

        assertThat(new SvidVerifier(root::bundle, () -> NOW).verify(many, ANYBODY))
                .isInstanceOfSatisfying(
                        Refused.class, refused -> assertThat(refused.reason()).isEqualTo(Reason.MALFORMED));
    }

    @Test
    void refusesEverybodyOnceTheRootExpired() {
        var later = NOW.plus(Duration.ofDays(4000));
        var verdict = verify(later, ANYBODY, root.sign(Leaf.named(CHECKOUT).until(later.plusSeconds(60))));

        assertThat(refused(verdict, Reason.EXPIRED)).contains("every root of trust domain cluster.local");
    }

    @Test
    void readsTheBundleItWrote() {
        assertThat(TrustBundle.ofPem("cluster.local", root.bundle().toPem())).isEqualTo(root.bundle());
    }

    @Test
    void keepsTheKeyOutOfText() {
        var svid = root.svid(CHECKOUT);

        assertThat(svid.toString()).contains(CHECKOUT, svid.serial()).doesNotContain("PrivateKey", "rivate");
    }

    private Verdict verify(Instant now, AcceptedPeers accepted, X509Certificate... chain) {
        return new SvidVerifier(root::bundle, () -> now).verify(List.of(chain), accepted);
    }

    private static String refused(Verdict verdict, Reason reason) {
        assertThat(verdict)
                .isInstanceOfSatisfying(
                        Refused.class,
                        refused -> assertThat(refused.reason())
                                .as(refused.sentence())
                                .isEqualTo(reason));
        return ((Refused) verdict).sentence();
    }
}
