package dev.bodyguard.proxy.wire;

import dev.bodyguard.identity.spiffe.Pem;
import java.io.ByteArrayOutputStream;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/// A private key as authors have it: PKCS #8 (RFC 5958), or the forms that OpenSSL and cert-manager write, RSA's of
/// PKCS #1
/// (RFC 8017 A.1.2) and EC's of SEC 1 (RFC 5915), which are put into PKCS #8's frame.
final class PemKey {
    private static final byte[] VERSION = HexFormat.of().parseHex("020100");
    private static final byte[] RSA = HexFormat.of().parseHex("300d06092a864886f70d0101010500");
    private static final byte[] EC = HexFormat.of().parseHex("06072a8648ce3d0201");
    private static final int SEQUENCE = 0x30;
    private static final int OCTETS = 0x04;
    private static final int PARAMETERS = 0xa0;

    private PemKey() {}

    static PrivateKey read(String pem) throws GeneralSecurityException {
        for (var block : Pem.parse(pem)) {
            switch (block.label()) {
                case "PRIVATE KEY" -> {
                    return key(block.der());
                }
                case "RSA PRIVATE KEY" -> {
                    return key(framed(RSA, block.der()));
                }
                case "EC PRIVATE KEY" -> {
                    return key(framed(tagged(SEQUENCE, EC, curve(block.der())), block.der()));
                }
                default -> {}
            }
        }
        throw new GeneralSecurityException("there is no PRIVATE KEY in it that is not encrypted");
    }

    private static PrivateKey key(byte[] pkcs8) throws GeneralSecurityException {
        var spec = new PKCS8EncodedKeySpec(pkcs8);
        for (var algorithm : List.of("EC", "RSA", "EdDSA")) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(spec);
            } catch (InvalidKeySpecException _) {
                // Of another kind.
            }
        }
        throw new GeneralSecurityException("the private key is neither RSA nor EC nor EdDSA");
    }

    private static byte[] framed(byte[] algorithm, byte[] key) {
        return tagged(SEQUENCE, VERSION, algorithm, tagged(OCTETS, key));
    }

    /// The curve's identifier, which stands in `[0]` behind the number and the key itself.
    private static byte[] curve(byte[] sec1) throws GeneralSecurityException {
        try {
            int at = content(sec1, 0);
            while (at < sec1.length) {
                int inside = content(sec1, at);
                int next = inside + length(sec1, at);
                if ((sec1[at] & 0xff) == PARAMETERS) {
                    return Arrays.copyOfRange(sec1, inside, next);
                }
                at = next;
            }
        } catch (IndexOutOfBoundsException _) {
            // As below.
        }
        throw new GeneralSecurityException("the EC private key does not name its curve");
    }

    private static int content(byte[] der, int at) {
        int first = der[at + 1] & 0xff;
        return at + 2 + (first < 0x80 ? 0 : first - 0x80);
    }

    private static int length(byte[] der, int at) {
        int first = der[at + 1] & 0xff;
        if (first < 0x80) {
            return first;
        }
        int length = 0;
        for (int i = 0; i < first - 0x80; i++) {
            length = (length << 8) | (der[at + 2 + i] & 0xff);
        }
        if (length < 0 || length > der.length) {
            throw new IndexOutOfBoundsException(length);
        }
        return length;
    }

    private static byte[] tagged(int tag, byte[]... parts) {
        var body = new ByteArrayOutputStream();
        for (var part : parts) {
            body.writeBytes(part);
        }
        var all = new ByteArrayOutputStream();
        all.write(tag);
        if (body.size() < 0x80) {
            all.write(body.size());
        } else {
            all.write(0x82);
            all.write(body.size() >> 8);
            all.write(body.size());
        }
        all.writeBytes(body.toByteArray());
        return all.toByteArray();
    }
}
