package dev.bodyguard.identity.client;

import java.io.ByteArrayOutputStream;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;

/// A PKCS #10 certificate request (RFC 2986) without a name in it: the authority decides on those. Its DER is short
/// enough to be written by hand, which keeps a cryptography library out of the sidecar.
final class CertificateRequest {
    private static final int INTEGER = 0x02;
    private static final int BIT_STRING = 0x03;
    private static final int SEQUENCE = 0x30;
    /// `[0] IMPLICIT SET OF Attribute`
    private static final int ATTRIBUTES = 0xa0;

    /// ecdsa-with-SHA256, 1.2.840.10045.4.3.2 (RFC 5758 §3.2), as a whole OBJECT IDENTIFIER.
    private static final byte[] ECDSA_WITH_SHA256 = {0x06, 0x08, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 4, 3, 2};

    private CertificateRequest() {}

    static KeyPair newKey(SecureRandom random) {
        try {
            var generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"), random);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException missing) {
            throw new IllegalStateException("this JDK has no P-256", missing);
        }
    }

    static byte[] encode(KeyPair key, SecureRandom random) {
        var version = der(INTEGER, new byte[] {0});
        var subject = der(SEQUENCE);
        // A JDK's public key encodes as the SubjectPublicKeyInfo that belongs here.
        var info = der(SEQUENCE, version, subject, key.getPublic().getEncoded(), der(ATTRIBUTES));
        try {
            var signature = Signature.getInstance("SHA256withECDSA");
            signature.initSign(key.getPrivate(), random);
            signature.update(info);
            return der(
                    SEQUENCE,
                    info,
                    der(SEQUENCE, ECDSA_WITH_SHA256),
                    // The first byte counts unused bits.
                    der(BIT_STRING, new byte[] {0}, signature.sign()));
        } catch (GeneralSecurityException broken) {
            throw new IllegalStateException("a key of our own does not sign", broken);
        }
    }

    private static byte[] der(int tag, byte[]... content) {
        var length = 0;
        for (var part : content) {
            length += part.length;
        }
        var out = new ByteArrayOutputStream(length + 4);
        out.write(tag);
        if (length < 0x80) {
            out.write(length);
        } else if (length < 0x100) {
            out.write(0x81);
            out.write(length);
        } else {
            out.write(0x82);
            out.write(length >> 8);
            out.write(length);
        }
        for (var part : content) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }
}
