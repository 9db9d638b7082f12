package dev.bodyguard.identity.spiffe;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Objects;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// The secret that join tokens are made with and checked by. Whoever can read it can be any service of the mesh.
///
/// A token is `bg1.<who>.<proof>`: *who* is base64url of `namespace/service-account`, *proof* base64url of
/// HMAC-SHA-256 over `bg1.<who>` with this key.
public final class JoinKey {
    private static final String VERSION = "bg1.";
    private static final int BYTES = 32;
    /// Namespaces and names are at most 253 characters each; more is not a token of ours.
    private static final int LONGEST = 1024;
    private static final Base64.Encoder ENCODER = Base64.getUrlEncoder().withoutPadding();
    private static final Base64.Decoder DECODER = Base64.getUrlDecoder();

    private final SecretKeySpec secret;

    private JoinKey(byte[] secret) {
        this.secret = new SecretKeySpec(secret, "HmacSHA256");
    }

    public static JoinKey random(SecureRandom random) {
        var secret = new byte[BYTES];
        random.nextBytes(secret);
        return new JoinKey(secret);
    }

    /// Reads the key, or makes one where there is no file (0600).
    public static JoinKey openOrCreate(Path file, SecureRandom random) throws IOException {
        if (!Files.exists(file)) {
            // Whoever comes second finds the first one's key.
            PrivateFiles.writeNew(file, random(random).fileContent());
        }
        return read(file);
    }

    public static JoinKey read(Path file) throws IOException {
        byte[] secret;
        try {
            secret = DECODER.decode(Files.readString(file).strip());
        } catch (IllegalArgumentException notBase64) {
            throw new IOException(file + " is not a join key; remove it to have a new one made", notBase64);
        }
        if (secret.length != BYTES) {
            throw new IOException(file + " is not a join key: it holds " + secret.length + " bytes instead of " + BYTES
                    + "; remove it to have a new one made");
        }
        return new JoinKey(secret);
    }

    private byte[] fileContent() {
        return (ENCODER.encodeToString(secret.getEncoded()) + "\n").getBytes(StandardCharsets.US_ASCII);
    }

    public JoinToken mint(String namespace, String serviceAccount) {
        // Both must fit into a SPIFFE id, which also keeps a '/' out of them.
        var _ = SpiffeId.ofServiceAccount("mesh", namespace, serviceAccount);
        var claim =
                VERSION + ENCODER.encodeToString((namespace + "/" + serviceAccount).getBytes(StandardCharsets.UTF_8));
        return new JoinToken(claim + "." + ENCODER.encodeToString(proof(claim)));
    }

    /// Whom the token speaks for, if we made it.
    public Admission verify(JoinToken token) {
        var text = token.text();
        if (text.isEmpty()) {
            return new Refused("no join token was given");
        }
        var dot = text.lastIndexOf('.');
        if (text.length() > LONGEST || !text.startsWith(VERSION) || dot < VERSION.length()) {
            return new Refused("the join token is not one of this mesh: it is not of the form bg1.<who>.<proof>");
        }
        var claim = text.substring(0, dot);
        try {
            if (!MessageDigest.isEqual(proof(claim), DECODER.decode(text.substring(dot + 1)))) {
                return new Refused(
                        "the join token was not made with this mesh's join key: it is of another mesh or an older"
                                + " state folder");
            }
            var who = new String(DECODER.decode(claim.substring(VERSION.length())), StandardCharsets.UTF_8);
            var slash = who.indexOf('/');
            return new Admitted(who.substring(0, slash), who.substring(slash + 1));
        } catch (IllegalArgumentException notBase64) {
            return new Refused("the join token is not one of this mesh: it is not base64url");
        }
    }

    private byte[] proof(String claim) {
        try {
            var mac = Mac.getInstance("HmacSHA256");
            mac.init(secret);
            return mac.doFinal(claim.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException missing) {
            throw new IllegalStateException("this JDK has no HMAC-SHA-256", missing);
        }
    }

    /// Not the key.
    @Override
    public String toString() {
        return "join key";
    }

    /// Whom a join token speaks for.
    public sealed interface Admission {}

    public record Admitted(String namespace, String serviceAccount) implements Admission {
        public Admitted {
            Objects.requireNonNull(namespace);
            Objects.requireNonNull(serviceAccount);
        }
    }

    /// Not a token of ours.
    ///
    /// @param sentence for a log line; never holds the token
    public record Refused(String sentence) implements Admission {
        public Refused {
            Objects.requireNonNull(sentence);
        }
    }
}
