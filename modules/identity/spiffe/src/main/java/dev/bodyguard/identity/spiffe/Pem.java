package dev.bodyguard.identity.spiffe;

import java.io.ByteArrayInputStream;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/// PEM (RFC 7468) for what the mesh keeps in it: certificates, and PKCS #8 keys on elliptic curves.
public final class Pem {
    private static final Base64.Encoder BASE64 = Base64.getMimeEncoder(64, new byte[] {'\n'});

    private Pem() {}

    /// One `BEGIN`…`END` block. What stands between blocks is explanation, and skipped.
    public static final class Block {
        private final String label;
        private final byte[] der;

        private Block(String label, byte[] der) {
            this.label = label;
            this.der = der;
        }

        public String label() {
            return label;
        }

        public byte[] der() {
            return der.clone();
        }

        /// The label and the size: a block may hold a key.
        @Override
        public String toString() {
            return label + " (" + der.length + " bytes)";
        }
    }

    /// The blocks in order; an `IllegalArgumentException` names the line of one that is broken.
    public static List<Block> parse(String text) {
        var blocks = new ArrayList<Block>();
        var label = "";
        var body = new StringBuilder();
        var lineNumber = 0;
        for (var line : text.split("\r?\n", -1)) {
            lineNumber++;
            if (label.isEmpty()) {
                if (line.startsWith("-----BEGIN ") && line.endsWith("-----") && line.length() > 16) {
                    label = line.substring("-----BEGIN ".length(), line.length() - "-----".length());
                    body.setLength(0);
                }
            } else if (line.equals("-----END " + label + "-----")) {
                try {
                    blocks.add(new Block(label, Base64.getDecoder().decode(body.toString())));
                } catch (IllegalArgumentException notBase64) {
                    throw new IllegalArgumentException(
                            "PEM block " + label + " that ends in line " + lineNumber + " is not base64", notBase64);
                }
                label = "";
            } else if (line.startsWith("-----")) {
                throw new IllegalArgumentException("PEM block " + label + " has no end before line " + lineNumber);
            } else {
                body.append(line.strip());
            }
        }
        if (!label.isEmpty()) {
            throw new IllegalArgumentException("PEM block " + label + " has no end: the file is cut off");
        }
        return List.copyOf(blocks);
    }

    public static String encode(String label, byte[] der) {
        return "-----BEGIN " + label + "-----\n" + BASE64.encodeToString(der) + "\n-----END " + label + "-----\n";
    }

    public static String encode(X509Certificate certificate) {
        try {
            return encode("CERTIFICATE", certificate.getEncoded());
        } catch (CertificateException impossible) {
            throw new IllegalStateException("a parsed certificate does not encode", impossible);
        }
    }

    public static String encode(PrivateKey key) {
        return encode("PRIVATE KEY", key.getEncoded());
    }

    /// The certificates among the blocks, in order.
    public static List<X509Certificate> certificates(List<Block> blocks) throws CertificateException {
        var found = new ArrayList<X509Certificate>();
        for (var block : blocks) {
            if (block.label().equals("CERTIFICATE")) {
                found.add(certificate(block.der()));
            }
        }
        return List.copyOf(found);
    }

    public static X509Certificate certificate(byte[] der) throws CertificateException {
        return (X509Certificate)
                CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
    }

    /// The one private key among the blocks.
    public static PrivateKey privateKey(List<Block> blocks) throws GeneralSecurityException {
        var keys = blocks.stream()
                .filter(block -> block.label().equals("PRIVATE KEY"))
                .toList();
        if (keys.size() != 1) {
            throw new GeneralSecurityException("expected one PRIVATE KEY block, found " + keys.size());
        }
        return KeyFactory.getInstance("EC")
                .generatePrivate(new PKCS8EncodedKeySpec(keys.getFirst().der()));
    }
}
