package dev.bodyguard.proxy.wire;

import dev.bodyguard.identity.spiffe.AcceptedPeers;
import dev.bodyguard.identity.spiffe.PeerRefused;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.identity.spiffe.SvidTrustManager;
import dev.bodyguard.identity.spiffe.SvidVerifier;
import dev.bodyguard.identity.spiffe.Verdict;
import dev.bodyguard.proxy.engine.Transport;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.OpenSslSessionContext;
import io.netty.handler.ssl.ReferenceCountedOpenSslEngine;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.internal.tcnative.SSL;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/// Mutual TLS 1.3 with this workload's identity: BoringSSL where its library loads, the JDK's TLS otherwise.
///
/// New handshakes use the newest SVID; connections that stand are not touched by a rotation.
public final class MeshTls {
    private static final String H2 = "h2";
    private static final String HTTP_1_1 = "http/1.1";
    /// As Istio's proxies say it: bytes that are no HTTP follow.
    static final String BYTES = "istio";

    /// Offered beside HTTP/2 and never chosen: as Istio's proxies say it, by it a sidecar tells a peer from somebody
    /// who
    /// means the app's own TLS. A server name could tell too, but Java's TLS sends none with an underscore.
    private static final String PEER = "istio-h2";

    /// Netty puts a key into a store, and takes it out again; in memory, so that nobody reads it. The JDK's default,
    /// PKCS #12, encrypts it there by 10,000 rounds of a hash (PBKDF2): 0.4 s of a new sidecar's first one.
    static final String STORE = "JKS";

    private final InstantSource clock;
    private final SslProvider provider;
    private volatile Contexts contexts;

    private record Contexts(Svid svid, SslContext server, SslContext client, SslContext bytes) {}

    public MeshTls(Svid svid, InstantSource clock) {
        this(svid, clock, OpenSsl.isAvailable() ? SslProvider.OPENSSL : SslProvider.JDK);
    }

    MeshTls(Svid svid, InstantSource clock, SslProvider provider) {
        this.provider = provider;
        this.clock = clock;
        this.contexts = contexts(svid);
    }

    /// Uses `svid` for every handshake from now on; from any thread.
    public void rotate(Svid svid) {
        contexts = contexts(svid);
    }

    /// The identity in use.
    public Svid svid() {
        return contexts.svid();
    }

    /// `BoringSSL` or `JDK`.
    public String provider() {
        return provider == SslProvider.JDK ? "JDK" : "BoringSSL";
    }

    /// For a connection that somebody opens.
    SslHandler server(ByteBufAllocator allocator) {
        return withoutTickets(contexts.server(), allocator);
    }

    /// It gives its peer no ticket: whose the next connection is shall be verified anew.
    static SslHandler withoutTickets(SslContext context, ByteBufAllocator allocator) {
        var handler = context.newHandler(allocator);
        if (handler.engine() instanceof ReferenceCountedOpenSslEngine engine) {
            // In TLS 1.3 tickets come whether the context has a cache or not, and no setting of the context keeps them
            // back.
            SSL.setOptions(engine.sslPointer(), SSL.SSL_OP_NO_TICKET);
        }
        return handler;
    }

    SslContext client() {
        return contexts.client();
    }

    /// For connections of bytes that are no HTTP.
    SslContext bytes() {
        return contexts.bytes();
    }

    /// Whether a client means a sidecar and not the app behind it: by what sidecars put into their hello, protocols as
    /// Istio's call them, by what Envoy is told to, the name `outbound_.<port>_.<subset>_.<host>`, or by one of the
    /// protocols that are announced to mean it.
    ///
    /// @param announced empty: any does
    static boolean isMeant(ClientHello hello, Set<String> announced) {
        return announced.isEmpty()
                || hello.server().startsWith("outbound_.")
                || hello.protocols().stream()
                        .anyMatch(protocol -> protocol.startsWith("istio") || announced.contains(protocol));
    }

    /// Who the peer of a finished handshake is; its chain was verified in the handshake.
    static @Nullable SpiffeId peerOf(SSLSession session) {
        try {
            var chain = session.getPeerCertificates();
            return chain.length > 0
                            && chain[0] instanceof X509Certificate leaf
                            && SvidVerifier.idOf(leaf) instanceof Verdict.Trusted(var id)
                    ? id
                    : null;
        } catch (SSLPeerUnverifiedException _) {
            return null;
        }
    }

    /// Null where this peer is one of those wanted, otherwise the sentence that says why not.
    static @Nullable String objection(@Nullable SpiffeId peer, Transport.Mtls wanted) {
        if (peer != null && wanted.accepted().contains(peer.toString())) {
            return null;
        }
        return "the server proved to be " + (peer == null ? "nobody" : peer) + ", but only "
                + (wanted.accepted().isEmpty() ? "nobody" : String.join(" or ", wanted.accepted()))
                + " is accepted there";
    }

    /// Why a client's handshake failed, for a person.
    ///
    /// @param hello what the client said first; null where that did not come in one piece
    /// @param least the oldest version that is taken
    /// @param spoken who takes which versions, and the way out for others
    static String sentence(Throwable failure, @Nullable ClientHello hello, int least, String spoken) {
        return hello == null || hello.newest() >= least
                ? sentence(failure)
                : "it offers " + hello.newestName() + " at most, but " + spoken;
    }

    /// Why a handshake failed, for a person.
    static String sentence(Throwable failure) {
        return PeerRefused.in(failure).map(Verdict.Refused::sentence).orElseGet(() -> {
            // Such a certificate is read only when its bearer is to be verified.
            for (Throwable broken = failure; broken != null; broken = broken.getCause()) {
                if (broken instanceof CertificateException) {
                    return "the peer's certificate cannot be read: " + broken.getMessage();
                }
            }
            Throwable cause = failure;
            while (cause.getCause() != null && (cause.getMessage() == null || !(cause instanceof SSLException))) {
                cause = cause.getCause();
            }
            var message = cause.getMessage();
            return message == null ? cause.getClass().getSimpleName() : message;
        });
    }

    private Contexts contexts(Svid svid) {
        try {
            var trust = new SvidTrustManager(
                    new SvidVerifier(svid::bundle, clock), new AcceptedPeers.EveryMember(), _ -> {});
            var chain = svid.chain().toArray(X509Certificate[]::new);
            var server = SslContextBuilder.forServer(svid.key(), chain)
                    .keyStoreType(STORE)
                    .clientAuth(ClientAuth.REQUIRE)
                    .trustManager(trust)
                    .sslProvider(provider)
                    .protocols("TLSv1.3")
                    .applicationProtocolConfig(alpn(List.of(H2, HTTP_1_1, BYTES)))
                    .build();
            neverResume(server);
            return new Contexts(svid, server, client(svid, chain, trust, H2, PEER), client(svid, chain, trust, BYTES));
        } catch (SSLException broken) {
            throw new IllegalArgumentException(
                    "no TLS can be set up with " + svid + ": " + broken.getMessage(), broken);
        }
    }

    private SslContext client(Svid svid, X509Certificate[] chain, SvidTrustManager trust, String... protocols)
            throws SSLException {
        var client = SslContextBuilder.forClient()
                .keyManager(svid.key(), chain)
                .keyStoreType(STORE)
                .trustManager(trust)
                // An SVID has no host name: who the server must be is checked by SPIFFE id.
                .endpointIdentificationAlgorithm(null)
                .sslProvider(provider)
                .protocols("TLSv1.3")
                .applicationProtocolConfig(alpn(List.of(protocols)))
                .build();
        neverResume(client);
        return client;
    }

    /// A resumed session shows the certificate of long ago: one that may have expired or been replaced since.
    static void neverResume(SslContext context) {
        if (context.sessionContext() instanceof OpenSslSessionContext sessions) {
            sessions.setSessionCacheEnabled(false);
        } else {
            context.sessionContext().setSessionTimeout(1);
        }
    }

    private static ApplicationProtocolConfig alpn(List<String> protocols) {
        return new ApplicationProtocolConfig(
                Protocol.ALPN, SelectorFailureBehavior.NO_ADVERTISE, SelectedListenerFailureBehavior.ACCEPT, protocols);
    }
}
