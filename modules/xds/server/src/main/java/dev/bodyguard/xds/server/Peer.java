package dev.bodyguard.xds.server;

import io.grpc.Context;
import io.helidon.webserver.grpc.ServerContextKeys;
import java.security.cert.Certificate;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Who is at the other end of a stream, as far as the transport has proved it.
///
/// @param uris the URI names in the client's verified certificate; empty where it showed none
/// @param address for people
/// @param life of the certificate that it showed when it connected, which it may have renewed since; null where
///     it showed none
public record Peer(
        List<String> uris, String address, @Nullable Life life) {
    /// From when until when a certificate is good.
    public record Life(Instant from, Instant until) {
        public Duration length() {
            return Duration.between(from, until);
        }
    }

    /// Set by transports that have no key of their own for it.
    static final Context.Key<Peer> CURRENT = Context.key("bodyguard-peer");

    // RFC 5280 §4.2.1.6, GeneralName.
    private static final int URI_NAME = 6;

    public Peer {
        uris = List.copyOf(uris);
    }

    /// Somebody who showed no certificate, or of whose there is no more to know than its names.
    public Peer(List<String> uris, String address) {
        this(uris, address, null);
    }

    /// Whoever showed this verified chain; an empty one where it showed none.
    static Peer of(Certificate[] chain, String address) {
        if (chain.length == 0 || !(chain[0] instanceof X509Certificate leaf)) {
            return new Peer(List.of(), address);
        }
        return new Peer(
                uris(leaf),
                address,
                new Life(leaf.getNotBefore().toInstant(), leaf.getNotAfter().toInstant()));
    }

    @Override
    public String toString() {
        return uris.isEmpty() ? address : String.join(",", uris) + " at " + address;
    }

    /// Whoever makes the gRPC call that this thread has just begun to serve (before anything is handed to another
    /// thread).
    public static Peer current() {
        var known = CURRENT.get();
        if (known != null) {
            return known;
        }
        var connection = ServerContextKeys.CONNECTION_CONTEXT.get();
        if (connection == null) {
            return new Peer(List.of(), "unknown address");
        }
        var remote = connection.remotePeer();
        return of(remote.tlsCertificates().orElseGet(() -> new Certificate[0]), String.valueOf(remote.address()));
    }

    private static List<String> uris(X509Certificate leaf) {
        try {
            var names = leaf.getSubjectAlternativeNames();
            if (names == null) {
                return List.of();
            }
            return names.stream()
                    .filter(name -> Integer.valueOf(URI_NAME).equals(name.get(0)))
                    .map(name -> String.valueOf(name.get(1)))
                    .toList();
        } catch (CertificateParsingException unreadable) {
            // Verified by the handshake, yet its names are garbage: it proves no name.
            return List.of();
        }
    }
}
