package dev.bodyguard.identity.client;

import dev.bodyguard.identity.spiffe.AcceptedPeers;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.identity.spiffe.SvidKeyManager;
import dev.bodyguard.identity.spiffe.SvidTrustManager;
import dev.bodyguard.identity.spiffe.SvidVerifier;
import dev.bodyguard.identity.spiffe.TrustBundle;
import dev.bodyguard.identity.spiffe.Verdict;
import io.grpc.ManagedChannelBuilder;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.OpenSslSessionContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/// gRPC to a server of the mesh that proves its SPIFFE id, in TLS 1.3.
///
/// @param server who must answer
/// @param roots asked at each handshake
/// @param own what to show at each handshake, so that a renewed SVID is shown by the next connection; null where there
/// is none (yet)
/// @param onRefused hears why a server was not accepted
public record MeshChannel(
        SpiffeId server,
        Supplier<TrustBundle> roots,
        Supplier<@Nullable Svid> own,
        Consumer<Verdict.Refused> onRefused,
        InstantSource clock) {
    /// A server that stands still is missed within fifteen seconds, though its connections stand; less than ten gRPC
    /// does not allow.
    private static final int KEEP_ALIVE_SECONDS = 10;

    private static final int KEEP_ALIVE_TIMEOUT_SECONDS = 5;

    public MeshChannel {
        Objects.requireNonNull(server);
        Objects.requireNonNull(roots);
        Objects.requireNonNull(own);
        Objects.requireNonNull(onRefused);
        Objects.requireNonNull(clock);
    }

    /// A channel that is yet to be built. BoringSSL encrypts where its library is on the path, else the JDK.
    ///
    /// @param hostPort `127.0.0.1:15012`
    public ManagedChannelBuilder<?> to(String hostPort) {
        return to(hostPort, OpenSsl.isAvailable() ? SslProvider.OPENSSL : SslProvider.JDK);
    }

    ManagedChannelBuilder<?> to(String hostPort, SslProvider provider) {
        var verifier = new SvidVerifier(roots, clock);
        var trust = new SvidTrustManager(verifier, new AcceptedPeers.OneOf(server), onRefused);
        try {
            var tls = GrpcSslContexts.configure(SslContextBuilder.forClient(), provider)
                    .trustManager(trust)
                    .keyManager(new SvidKeyManager(own))
                    .protocols("TLSv1.3")
                    // A resumed session would go on with the SVIDs that it began with.
                    .sessionTimeout(1)
                    .build();
            // BoringSSL renews a session's time whenever it is resumed: none is kept at all.
            if (tls.sessionContext() instanceof OpenSslSessionContext sessions) {
                sessions.setSessionCacheEnabled(false);
            }
            return NettyChannelBuilder.forAddress(address(hostPort))
                    .sslContext(tls)
                    .keepAliveTime(KEEP_ALIVE_SECONDS, TimeUnit.SECONDS)
                    .keepAliveTimeout(KEEP_ALIVE_TIMEOUT_SECONDS, TimeUnit.SECONDS);
        } catch (SSLException broken) {
            throw new IllegalStateException("this machine has no TLS 1.3 for clients", broken);
        }
    }

    private static InetSocketAddress address(String hostPort) {
        var colon = hostPort.lastIndexOf(':');
        try {
            if (colon > 0) {
                var host = hostPort.substring(0, colon).replaceAll("^\\[|]$", "");
                return new InetSocketAddress(host, Integer.parseInt(hostPort.substring(colon + 1)));
            }
        } catch (IllegalArgumentException notAPort) {
            throw new IllegalArgumentException("an address is host:port, not '" + hostPort + "'", notAPort);
        }
        throw new IllegalArgumentException("an address is host:port, not '" + hostPort + "'");
    }
}
