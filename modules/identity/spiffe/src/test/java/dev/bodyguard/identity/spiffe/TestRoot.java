package dev.bodyguard.identity.spiffe;

import java.math.BigInteger;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.stream.Stream;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/// A root that signs whatever a test asks for, right or wrong.
final class TestRoot {
    static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");

    private final String trustDomain;
    private final KeyPair key = newKey();
    private final X509Certificate certificate;

    TestRoot(String trustDomain, String name) {
        this.trustDomain = trustDomain;
        this.certificate = sign(
                name,
                key,
                name,
                key,
                Leaf.named().withUsage(KeyUsage.keyCertSign).asCa().until(NOW.plus(Duration.ofDays(3650))));
    }

    /// What a leaf shall say.
    record Leaf(List<String> uris, Instant from, Instant until, int usage, boolean ca) {
        static Leaf named(String... uris) {
            return new Leaf(
                    List.of(uris),
                    NOW.minus(Duration.ofMinutes(5)),
                    NOW.plus(Duration.ofHours(1)),
                    KeyUsage.digitalSignature,
                    false);
        }

        Leaf from(Instant instant) {
            return new Leaf(uris, instant, until, usage, ca);
        }

        Leaf until(Instant instant) {
            return new Leaf(uris, from, instant, usage, ca);
        }

        Leaf withUsage(int usage) {
            return new Leaf(uris, from, until, usage, ca);
        }

        Leaf asCa() {
            return new Leaf(uris, from, until, usage, true);
        }
    }

    TrustBundle bundle() {
        return new TrustBundle(trustDomain, List.of(certificate));
    }

    X509Certificate certificate() {
        return certificate;
    }

    Svid svid(String uri) {
        return svid(Leaf.named(uri));
    }

    Svid svid(Leaf leaf) {
        var pair = newKey();
        var signed = sign("CN=leaf", pair, certificate.getSubjectX500Principal().getName(), key, leaf);
        return new Svid(
                SpiffeId.parse(leaf.uris().getFirst()), pair.getPrivate(), List.of(signed), bundle(), leaf.from());
    }

    X509Certificate sign(Leaf leaf) {
        return sign("CN=leaf", newKey(), certificate.getSubjectX500Principal().getName(), key, leaf);
    }

    private static X509Certificate sign(String subject, KeyPair of, String issuer, KeyPair by, Leaf leaf) {
        try {
            var builder = new JcaX509v3CertificateBuilder(
                            new X500Name(issuer),
                            new BigInteger(127, new SecureRandom()),
                            Date.from(leaf.from()),
                            Date.from(leaf.until()),
                            new X500Name(subject),
                            of.getPublic())
                    .addExtension(Extension.basicConstraints, true, new BasicConstraints(leaf.ca()))
                    .addExtension(Extension.keyUsage, true, new KeyUsage(leaf.usage()));
            if (!leaf.uris().isEmpty()) {
                builder.addExtension(
                        Extension.subjectAlternativeName,
                        false,
                        new GeneralNames(Stream.concat(
                                        leaf.uris().stream()
                                                .map(uri ->
                                                        new GeneralName(GeneralName.uniformResourceIdentifier, uri)),
                                        Stream.of(new GeneralName(GeneralName.dNSName, "localhost")))
                                .toArray(GeneralName[]::new)));
            }
            return new JcaX509CertificateConverter()
                    .getCertificate(
                            builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(by.getPrivate())));
        } catch (Exception broken) {
            throw new AssertionError(broken);
        }
    }

    private static KeyPair newKey() {
        try {
            var generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (Exception missing) {
            throw new AssertionError(missing);
        }
    }
}
