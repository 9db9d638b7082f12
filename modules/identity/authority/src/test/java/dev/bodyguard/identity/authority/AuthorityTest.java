package dev.bodyguard.identity.authority;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bodyguard.identity.spiffe.AcceptedPeers;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.SvidVerifier;
import dev.bodyguard.identity.spiffe.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AuthorityTest {
    private static final Instant FOUNDED = Instant.parse("2026-03-01T12:00:00.250Z");
    private static final SpiffeId CHECKOUT = SpiffeId.ofServiceAccount("cluster.local", "default", "checkout");

    @TempDir
    private Path folder;

    private final List<Journal.Entry> journal = new ArrayList<>();
    private Instant now = FOUNDED;
    private Authority authority;

    @BeforeEach
    void found() throws IOException {
        authority = open();
    }

    @Test
    void signsAKeyForTheIdItsCallerGives() throws Exception {
        var key = key("secp256r1");

        var signed = signed(csr(key), Duration.ofHours(1));

        var leaf = signed.chain().getFirst();
        assertThat(leaf.getPublicKey()).isEqualTo(key.getPublic());
        assertThat(leaf.getBasicConstraints()).isEqualTo(-1);
        assertThat(leaf.getCriticalExtensionOIDs()).contains("2.5.29.19", "2.5.29.15", "2.5.29.17");
        assertThat(leaf.getExtendedKeyUsage()).containsExactly("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2");
        assertThat(leaf.getSerialNumber().bitLength()).isEqualTo(128);
        assertThat(verdict(leaf)).isEqualTo(new Verdict.Trusted(CHECKOUT));
        assertThat(journal).containsExactly(new Journal.Entry(now, CHECKOUT, signed.serial(), signed.until()));
    }

    @Test
    void ignoresTheNamesInARequest() throws Exception {
        var key = key("secp256r1");
        var wishes = new ExtensionsGenerator();
        wishes.addExtension(
                Extension.subjectAlternativeName,
                true,
                new GeneralNames(new GeneralName(
                        GeneralName.uniformResourceIdentifier, "spiffe://cluster.local/ns/default/sa/admin")));
        wishes.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
        var request = new JcaPKCS10CertificationRequestBuilder(new X500Name("CN=admin"), key.getPublic())
                .addAttribute(PKCSObjectIdentifiers.pkcs_9_at_extensionRequest, wishes.generate())
                .build(new JcaContentSignerBuilder("SHA256withECDSA").build(key.getPrivate()));

        var leaf = signed(request.getEncoded(), Duration.ZERO).chain().getFirst();

        assertThat(leaf.getSubjectX500Principal().getName()).isEmpty();
        assertThat(leaf.getSubjectAlternativeNames()).containsExactly(List.of(6, CHECKOUT.toString()));
        assertThat(leaf.getBasicConstraints()).isEqualTo(-1);
    }

    @Test
    void rejectsARequestThatAnotherKeySigned() throws Exception {
        var request = csr(key("secp256r1"), key("secp256r1").getPrivate(), "SHA256withECDSA");

        assertThat(rejected(request)).contains("signature is not by the key in it");
    }

    @Test
    void rejectsOtherKindsOfKeys() throws Exception {
        var rsa = KeyPairGenerator.getInstance("RSA").generateKeyPair();

        assertThat(rejected(csr(rsa, rsa.getPrivate(), "SHA256withRSA"))).contains("not ECDSA on P-256 but RSA");
        assertThat(rejected(csr(key("secp384r1")))).contains("on another curve");
    }

    @Test
    void rejectsWhatIsNoRequest() throws Exception {
        var half = csr(key("secp256r1"));
        half[half.length / 2] ^= 0x55;

        assertThat(rejected(new byte[0])).contains("not a PKCS #10 CSR");
        assertThat(rejected(new byte[] {0x30, 0x00})).contains("not a PKCS #10 CSR");
        assertThat(rejected(new byte[20_000])).contains("at most 16384");
        rejected(half);
    }

    @Test
    void keepsLivesWithinBounds() throws Exception {
        var csr = csr(key("secp256r1"));

        assertThat(life(csr, Duration.ZERO)).isEqualTo(Duration.ofHours(24));
        assertThat(life(csr, Duration.ofDays(365))).isEqualTo(Duration.ofHours(24));
        assertThat(life(csr, Duration.ofSeconds(10))).isBetween(Duration.ofSeconds(10), Duration.ofSeconds(11));
        assertThat(life(csr, Duration.ofSeconds(1))).isBetween(Duration.ofSeconds(10), Duration.ofSeconds(11));
    }

    @Test
    void backDatesForClocksThatAreBehindButNotBeforeTheRoot() throws Exception {
        var csr = csr(key("secp256r1"));
        var root = authority.bundle().roots().getFirst().getNotBefore();

        assertThat(signed(csr, Duration.ZERO).chain().getFirst().getNotBefore()).isEqualTo(root);
        now = FOUNDED.plus(Duration.ofHours(1));
        assertThat(signed(csr, Duration.ZERO).chain().getFirst().getNotBefore().toInstant())
                .isEqualTo(Instant.parse("2026-03-01T12:55:00Z"));
    }

    @Test
    void staysTheSameWhenItIsOpenedAgain() throws IOException {
        assertThat(open().bundle()).isEqualTo(authority.bundle());
        assertThat(PosixFilePermissions.toString(
                        Files.getPosixFilePermissions(folder.resolve("authority/root-key.pem"))))
                .isEqualTo("rw-------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve("authority"))))
                .isEqualTo("rwx------");
    }

    @Test
    void doesNotSignForAnotherTrustDomain() throws Exception {
        var csr = csr(key("secp256r1"));

        assertThatThrownBy(() -> authority.sign(csr, SpiffeId.parse("spiffe://other/x"), Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void issuesToServersBesideItWithTheirHostNames() throws Exception {
        var id = SpiffeId.ofServiceAccount("cluster.local", "bodyguard-system", "config");

        var svid = authority.issue(id, Duration.ZERO, ServerNames.loopback());

        assertThat(svid.leaf().getSubjectAlternativeNames())
                .extracting(name -> String.valueOf(name.getLast()))
                .contains(id.toString(), "localhost", "127.0.0.1");
        assertThat(verdict(svid.leaf())).isEqualTo(new Verdict.Trusted(id));
    }

    @Test
    void writesAJournalThatGrows() throws IOException {
        var file = folder.resolve("journal");
        var entry = new Journal.Entry(FOUNDED, CHECKOUT, "1f", FOUNDED.plusSeconds(10));

        for (int life = 0; life < 2; life++) {
            try (var opened = JournalFile.open(file)) {
                opened.issued(entry);
            }
        }

        assertThat(Files.readAllLines(file)).containsExactly(entry.toString(), entry.toString());
    }

    @Test
    void namesTheFileThatHoldsNoRoot() throws IOException {
        var file = folder.resolve("authority/root-key.pem");
        Files.writeString(file, "garbage");

        assertThatThrownBy(this::open).hasMessageContaining(file.toString()).hasMessageContaining("remove it");
    }

    private Authority open() throws IOException {
        return Authority.open(
                "cluster.local",
                new RootFolder(folder.resolve("authority")),
                Authority.Lifetimes.DAY,
                journal::add,
                () -> now,
                new SecureRandom());
    }

    private Signing.Signed signed(byte[] csr, Duration wished) throws IOException {
        var signing = authority.sign(csr, CHECKOUT, wished);
        assertThat(signing).isInstanceOf(Signing.Signed.class);
        return (Signing.Signed) signing;
    }

    private Duration life(byte[] csr, Duration wished) throws IOException {
        var life = Duration.between(now, signed(csr, wished).until());
        // Whole seconds, rounded up.
        return life.minusMillis(life.toMillisPart());
    }

    private String rejected(byte[] csr) throws IOException {
        var signing = authority.sign(csr, CHECKOUT, Duration.ZERO);
        assertThat(signing).isInstanceOf(Signing.Rejected.class);
        assertThat(journal).isEmpty();
        return ((Signing.Rejected) signing).sentence();
    }

    private Verdict verdict(X509Certificate leaf) {
        return new SvidVerifier(authority::bundle, () -> now).verify(List.of(leaf), new AcceptedPeers.EveryMember());
    }

    private static KeyPair key(String curve) throws Exception {
        var generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec(curve));
        return generator.generateKeyPair();
    }

    private static byte[] csr(KeyPair key) throws Exception {
        return csr(key, key.getPrivate(), "SHA256withECDSA");
    }

    private static byte[] csr(KeyPair key, PrivateKey signer, String algorithm) throws Exception {
        return new JcaPKCS10CertificationRequestBuilder(new X500Name("CN=x"), key.getPublic())
                .build(new JcaContentSignerBuilder(algorithm).build(signer))
                .getEncoded();
    }
}
