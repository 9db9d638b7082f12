package dev.bodyguard.proxy.wire;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Locale;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// What a client may ask its connection to become (RFC 9110 §7.8), and the words of RFC 6455's handshake, for which
/// HTTP/2 has no use (RFC 8441 §5): they are made up where its client meets a server of HTTP/1.1, and answered where
/// it is the other way round.
final class Upgrades {
    static final String WEBSOCKET = "websocket";
    static final String KEY = "sec-websocket-key";
    static final String ACCEPT = "sec-websocket-accept";
    private static final String GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    private static final int KEY_BYTES = 16;

    private Upgrades() {}

    /// The first protocol of the list that is passed on; null where there is none. HTTP/2 by `upgrade` is no more
    /// (RFC 9113 §3.1), and TLS would be this hop's.
    static @Nullable String asked(@Nullable CharSequence list) {
        if (list == null) {
            return null;
        }
        for (var protocol : list.toString().split(",", -1)) {
            var name = protocol.strip();
            var lower = name.toLowerCase(Locale.ROOT);
            if (isProtocol(name) && !lower.equals("h2c") && !lower.startsWith("http/") && !lower.startsWith("tls/")) {
                return lower.equals(WEBSOCKET) ? WEBSOCKET : name;
            }
        }
        return null;
    }

    /// A name, and perhaps a slash and a version.
    static boolean isProtocol(CharSequence text) {
        int slashes = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '/') {
                slashes++;
            } else if (!Http1Parser.isToken(c)) {
                return false;
            }
        }
        return !text.isEmpty() && slashes <= 1 && text.charAt(0) != '/' && text.charAt(text.length() - 1) != '/';
    }

    static String freshKey(RandomGenerator random) {
        var bytes = new byte[KEY_BYTES];
        random.nextBytes(bytes);
        return Base64.getEncoder().encodeToString(bytes);
    }

    /// What a server says that has understood the key.
    static String accept(String key) {
        try {
            var digest = MessageDigest.getInstance("SHA-1").digest((key + GUID).getBytes(StandardCharsets.ISO_8859_1));
            return Base64.getEncoder().encodeToString(digest);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every JDK has SHA-1", impossible);
        }
    }
}
