package dev.bodyguard.identity.authority;

import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.identity.spiffe.TrustBundle;
import java.io.IOException;
import java.math.BigInteger;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.pkcs.PKCSException;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequest;

/// Signs X.509-SVIDs for one trust domain with a root of its own. May be used from any thread.
///
/// Everything is ECDSA on P-256 with SHA-256. A request contributes its key and nothing else: the names, usages and
/// times of a certificate are this authority's, the id its caller's, who has checked that it is due.
public final class Authority {
    public static final Duration SHORTEST_LIFE = Duration.ofSeconds(10);

    private static final String CURVE = "secp256r1";
    private static final String SIGNATURE = "SHA256withECDSA";
    private static final Duration ROOT_LIFE = Duration.ofDays(3652);
    /// For peers whose clock is behind ours.
    private static final Duration BACK_DATED = Duration.ofMinutes(5);

    private static final int LONGEST_REQUEST = 16 * 1024;
    private static final int SERIAL_BYTES = 16;

    private final TrustBundle bundle;
    private final Root root;
    private final Lifetimes lifetimes;
    private final Journal journal;
    private final InstantSource clock;
    private final SecureRandom random;

    private Authority(
            TrustBundle bundle,
            Root root,
            Lifetimes lifetimes,
            Journal journal,
            InstantSource clock,
            SecureRandom random) {
        this.bundle = bundle;
        this.root = root;
        this.lifetimes = lifetimes;
        this.journal = journal;
        this.clock = clock;
        this.random = random;
    }

    /// How long leaves live.
    ///
    /// @param usual where the request wishes nothing
    /// @param longest whatever it wishes
    public record Lifetimes(Duration usual, Duration longest) {
        /// A day, at most.
        public static final Lifetimes DAY = new Lifetimes(Duration.ofHours(24), Duration.ofHours(24));

        public Lifetimes {
            if (usual.compareTo(SHORTEST_LIFE) < 0) {
                throw new IllegalArgumentException(
                        "a certificate's life must be " + SHORTEST_LIFE + " or more, was " + usual);
            }
            if (longest.compareTo(usual) < 0) {
                throw new IllegalArgumentException(
                        "the longest life must be the usual one (" + usual + ") or more, was " + longest);
            }
        }

        Duration of(Duration wished) {
            var life = wished.isZero() || wished.isNegative() ? usual : wished;
            return life.compareTo(SHORTEST_LIFE) < 0 ? SHORTEST_LIFE : life.compareTo(longest) > 0 ? longest : life;
        }
    }

    /// Opens the authority whose root is kept in `store`, or founds it there.
    public static Authority open(
            String trustDomain,
            RootStore store,
            Lifetimes lifetimes,
            Journal journal,
            InstantSource clock,
            SecureRandom random)
            throws IOException {
        Objects.requireNonNull(journal);
        var kept = store.load();
        if (kept.isEmpty()) {
            store.keep(found(trustDomain, clock.instant(), random));
            kept = store.load();
        }
        var root = kept.orElseThrow(() -> new IOException("the root that was just kept is gone: " + store));
        if (clock.instant().isAfter(root.certificate().getNotAfter().toInstant())) {
            throw new IOException("the authority's root expired at "
                    + root.certificate().getNotAfter().toInstant() + " (it is now " + clock.instant()
                    + "); remove it to start a new mesh whose workloads must join again");
        }
        requireRootOf(trustDomain, root.certificate(), store);
        var bundle = new TrustBundle(trustDomain, List.of(root.certificate()));
        return new Authority(bundle, root, lifetimes, journal, clock, random);
    }

    /// A root that we founded names its trust domain; one that names none is good for any.
    private static void requireRootOf(String trustDomain, X509Certificate root, RootStore store) throws IOException {
        var own = new SpiffeId(trustDomain, "").toString();
        try {
            var names = root.getSubjectAlternativeNames();
            for (var name : names == null ? List.<List<?>>of() : names) {
                if (name.get(0) instanceof Integer kind
                        && kind == GeneralName.uniformResourceIdentifier
                        && !own.equals(name.get(1))) {
                    throw new IOException("the root in " + store + " is of " + name.get(1) + ", not of " + own
                            + "; name that trust domain, or keep this mesh's root elsewhere");
                }
            }
        } catch (CertificateParsingException broken) {
            throw new IOException("the root in " + store + " cannot be read: " + broken.getMessage(), broken);
        }
    }

    public TrustBundle bundle() {
        return bundle;
    }

    /// Signs the key in a PKCS #10 request for `id`.
    ///
    /// @param csr DER; its names and attributes are ignored
    /// @param wished the life wished for, zero for the usual one; kept within bounds
    public Signing sign(byte[] csr, SpiffeId id, Duration wished) throws IOException {
        return sign(csr, id, wished, ServerNames.NONE);
    }

    /// Signs the key in a PKCS #10 request for `id`, and for what else its server is called.
    ///
    /// @param csr DER; its names and attributes are ignored
    /// @param wished the life wished for, zero for the usual one; kept within bounds
    public Signing sign(byte[] csr, SpiffeId id, Duration wished, ServerNames names) throws IOException {
        requireMember(id);
        if (csr.length > LONGEST_REQUEST) {
            return new Signing.Rejected(
                    "the CSR has " + csr.length + " bytes, at most " + LONGEST_REQUEST + " are read");
        }
        PublicKey key;
        try {
            var request = new JcaPKCS10CertificationRequest(csr);
            key = request.getPublicKey();
            if (!isP256(key)) {
                return new Signing.Rejected("the CSR's key is not ECDSA on P-256 but " + key.getAlgorithm()
                        + (key instanceof ECPublicKey ? " on another curve" : ""));
            }
            if (!request.isSignatureValid(new JcaContentVerifierProviderBuilder().build(key))) {
                return new Signing.Rejected("the CSR's signature is not by the key in it");
            }
        } catch (IOException
                | GeneralSecurityException
                | OperatorCreationException
                | PKCSException
                | RuntimeException broken) {
            // BouncyCastle reports a stranger's broken DER by unchecked exceptions as well.
            return new Signing.Rejected("not a PKCS #10 CSR that can be read: " + broken.getMessage());
        }
        return issue(key, id, wished, names, clock.instant());
    }

    /// Makes a key and its certificate in one: for servers that live beside the authority.
    public Svid issue(SpiffeId id, Duration wished, ServerNames names) throws IOException {
        requireMember(id);
        var now = clock.instant();
        var pair = newKey(random);
        var signed = issue(pair.getPublic(), id, wished, names, now);
        return new Svid(id, pair.getPrivate(), signed.chain(), bundle, now);
    }

    private Signing.Signed issue(PublicKey key, SpiffeId id, Duration wished, ServerNames names, Instant now)
            throws IOException {
        var rootFrom = root.certificate().getNotBefore().toInstant();
        var rootUntil = root.certificate().getNotAfter().toInstant();
        var from = now.minus(BACK_DATED);
        // X.509 counts in seconds: round up, or a life of 10 s would be one of 9.
        var until = now.plus(lifetimes.of(wished)).plusMillis(999).truncatedTo(ChronoUnit.SECONDS);
        var leaf = leaf(
                key,
                id,
                names,
                from.isBefore(rootFrom) ? rootFrom : from,
                until.isAfter(rootUntil) ? rootUntil : until);
        var signed = new Signing.Signed(
                List.of(leaf),
                leaf.getSerialNumber().toString(16),
                leaf.getNotAfter().toInstant());
        journal.issued(new Journal.Entry(now, id, signed.serial(), signed.until()));
        return signed;
    }

    private X509Certificate leaf(PublicKey key, SpiffeId id, ServerNames names, Instant from, Instant until) {
        var alternatives = new ArrayList<GeneralName>();
        alternatives.add(new GeneralName(GeneralName.uniformResourceIdentifier, id.toString()));
        names.dns().forEach(name -> alternatives.add(new GeneralName(GeneralName.dNSName, name)));
        names.addresses()
                .forEach(address -> alternatives.add(new GeneralName(GeneralName.iPAddress, address.getHostAddress())));
        try {
            var extensions = new JcaX509ExtensionUtils();
            var builder = new JcaX509v3CertificateBuilder(
                            X500Name.getInstance(
                                    root.certificate().getSubjectX500Principal().getEncoded()),
                            serial(random),
                            Date.from(from),
                            Date.from(until),
                            new X500Name(""),
                            key)
                    .addExtension(Extension.basicConstraints, true, new BasicConstraints(false))
                    .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature))
                    .addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(new KeyPurposeId[] {
                        KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth
                    }))
                    // RFC 5280 §4.2.1.6: critical where the subject is empty.
                    .addExtension(
                            Extension.subjectAlternativeName,
                            true,
                            new GeneralNames(alternatives.toArray(GeneralName[]::new)))
                    .addExtension(
                            Extension.authorityKeyIdentifier,
                            false,
                            extensions.createAuthorityKeyIdentifier(
                                    root.certificate().getPublicKey()))
                    .addExtension(Extension.subjectKeyIdentifier, false, extensions.createSubjectKeyIdentifier(key));
            return signed(builder, root.key());
        } catch (GeneralSecurityException | CertIOException | OperatorCreationException broken) {
            throw new IllegalStateException("cannot sign a certificate for " + id, broken);
        }
    }

    private static Root found(String trustDomain, Instant now, SecureRandom random) {
        var pair = newKey(random);
        var serial = serial(random);
        // A name of its own: the roots of two meshes must not be taken for one another by name.
        var name = new X500Name("CN=" + trustDomain.replaceAll("[^a-z0-9.-]", "-") + " root "
                + HexFormat.of().toHexDigits(serial.intValue()) + ",O=Bodyguard");
        try {
            var builder = new JcaX509v3CertificateBuilder(
                            name,
                            serial,
                            Date.from(now.minus(BACK_DATED)),
                            Date.from(now.plus(ROOT_LIFE)),
                            name,
                            pair.getPublic())
                    .addExtension(Extension.basicConstraints, true, new BasicConstraints(0))
                    .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign))
                    .addExtension(
                            Extension.subjectAlternativeName,
                            false,
                            new GeneralNames(new GeneralName(
                                    GeneralName.uniformResourceIdentifier, new SpiffeId(trustDomain, "").toString())))
                    .addExtension(
                            Extension.subjectKeyIdentifier,
                            false,
                            new JcaX509ExtensionUtils().createSubjectKeyIdentifier(pair.getPublic()));
            return new Root(signed(builder, pair.getPrivate()), pair.getPrivate());
        } catch (GeneralSecurityException | CertIOException | OperatorCreationException broken) {
            throw new IllegalStateException("cannot make a root for " + trustDomain, broken);
        }
    }

    private static X509Certificate signed(X509v3CertificateBuilder builder, PrivateKey key)
            throws GeneralSecurityException, OperatorCreationException {
        return new JcaX509CertificateConverter()
                .getCertificate(builder.build(new JcaContentSignerBuilder(SIGNATURE).build(key)));
    }

    private static KeyPair newKey(SecureRandom random) {
        try {
            var generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec(CURVE), random);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException missing) {
            throw new IllegalStateException("this JDK has no P-256", missing);
        }
    }

    private static BigInteger serial(SecureRandom random) {
        var bytes = new byte[SERIAL_BYTES];
        random.nextBytes(bytes);
        // Never zero, which RFC 5280 §4.1.2.2 forbids, and always of full length.
        return new BigInteger(1, bytes).setBit(SERIAL_BYTES * 8 - 1);
    }

    private static boolean isP256(PublicKey key) throws GeneralSecurityException {
        if (!(key instanceof ECPublicKey ec)) {
            return false;
        }
        var parameters = AlgorithmParameters.getInstance("EC");
        parameters.init(new ECGenParameterSpec(CURVE));
        var p256 = parameters.getParameterSpec(ECParameterSpec.class);
        var its = ec.getParams();
        return its.getCurve().equals(p256.getCurve())
                && its.getGenerator().equals(p256.getGenerator())
                && its.getOrder().equals(p256.getOrder());
    }

    private void requireMember(SpiffeId id) {
        if (!id.trustDomain().equals(bundle.trustDomain()) || id.path().isEmpty()) {
            throw new IllegalArgumentException("the authority of " + bundle.trustDomain() + " does not sign for " + id);
        }
    }
}
