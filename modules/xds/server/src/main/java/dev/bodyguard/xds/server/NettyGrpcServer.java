package dev.bodyguard.xds.server;

import dev.bodyguard.xds.server.ServerTls.ClientCertificates;
import io.grpc.BindableService;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.TlsServerCredentials;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.util.AdvancedTlsX509KeyManager;
import io.grpc.util.AdvancedTlsX509TrustManager;
import io.grpc.util.AdvancedTlsX509TrustManager.Verification;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.InetSocketAddress;
import java.security.GeneralSecurityException;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;

/// grpc-java as transport.
final class NettyGrpcServer implements GrpcServer {
    private static final int MOST_CALLS_PER_CONNECTION = 128;
    private static final int LARGEST_REQUEST = 4 << 20;
    private static final int MOST_HEADER_BYTES = 8 << 10;
    /// Calls that are given up on, of one connection.
    private static final int MOST_RESETS = 200;

    private static final int RESETS_SECONDS = 10;
    /// A connection without a call is of no use to anyone but who collects them.
    private static final Duration IDLE = Duration.ofMinutes(5);

    private static final System.Logger LOG = System.getLogger("dev.bodyguard.xds.server");

    private final Server server;
    private final ExecutorService threads;
    private final List<EventLoopGroup> loops;
    private final @Nullable Secrets secrets;

    private NettyGrpcServer(
            Server server, ExecutorService threads, List<EventLoopGroup> loops, @Nullable Secrets secrets) {
        this.server = server;
        this.threads = threads;
        this.loops = loops;
        this.secrets = secrets;
    }

    static NettyGrpcServer start(
            Connections most, String host, int port, @Nullable ServerTls tls, List<? extends BindableService> services)
            throws IOException {
        return start(most, IDLE, line -> LOG.log(Level.WARNING, line), host, port, tls, services);
    }

    static NettyGrpcServer start(
            Connections most,
            Duration idle,
            Consumer<String> full,
            String host,
            int port,
            @Nullable ServerTls tls,
            List<? extends BindableService> services)
            throws IOException {
        var secrets = tls == null ? null : Secrets.of(tls);
        var threads = Executors.newVirtualThreadPerTaskExecutor();
        var accepting = new MultiThreadIoEventLoopGroup(1, threads("xds-accept"), NioIoHandler.newFactory());
        var carrying = new MultiThreadIoEventLoopGroup(0, threads("xds-io"), NioIoHandler.newFactory());
        var loops = List.<EventLoopGroup>of(accepting, carrying);
        var builder = NettyServerBuilder.forAddress(
                        new InetSocketAddress(host, port),
                        secrets == null ? InsecureServerCredentials.create() : secrets.credentials())
                .bossEventLoopGroup(accepting)
                .workerEventLoopGroup(carrying)
                .channelFactory(() -> {
                    var listening = new NioServerSocketChannel();
                    listening.pipeline().addLast(new Doorkeeper(most, full));
                    return listening;
                })
                .executor(threads)
                .maxInboundMetadataSize(MOST_HEADER_BYTES)
                .maxRstFramesPerWindow(MOST_RESETS, RESETS_SECONDS)
                .maxInboundMessageSize(LARGEST_REQUEST)
                .maxConcurrentCallsPerConnection(MOST_CALLS_PER_CONNECTION)
                .maxConnectionIdle(idle.toMillis(), TimeUnit.MILLISECONDS)
                .handshakeTimeout(10, TimeUnit.SECONDS)
                // A peer that vanished without a word is noticed; one that asks whether we are alive is not a pest.
                .keepAliveTime(20, TimeUnit.SECONDS)
                .keepAliveTimeout(10, TimeUnit.SECONDS)
                .permitKeepAliveTime(1, TimeUnit.SECONDS)
                .permitKeepAliveWithoutCalls(true)
                .intercept(new PeerOfCall());
        services.forEach(builder::addService);
        try {
            return new NettyGrpcServer(builder.build().start(), threads, loops, secrets);
        } catch (IOException refused) {
            end(loops);
            threads.close();
            throw new IOException("cannot listen on " + host + ":" + port + ": " + reason(refused), refused);
        }
    }

    private static @Nullable String reason(IOException refused) {
        var cause = refused.getCause();
        return cause == null ? refused.getMessage() : cause.getMessage();
    }

    @Override
    public int port() {
        return server.getPort();
    }

    @Override
    public void reloadTls(ServerTls tls) {
        if (secrets == null) {
            throw new IllegalStateException("this server was started without TLS");
        }
        secrets.replace(tls);
    }

    @Override
    public void close() {
        server.shutdownNow();
        try {
            var _ = server.awaitTermination(5, TimeUnit.SECONDS);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
        end(loops);
        threads.shutdownNow();
    }

    private static ThreadFactory threads(String name) {
        return Thread.ofPlatform().daemon().name(name + "-", 0).factory();
    }

    private static void end(List<EventLoopGroup> loops) {
        loops.forEach(group -> {
            var _ = group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        });
    }

    /// Key, chain and trust that are looked up at each handshake.
    private record Secrets(
            AdvancedTlsX509KeyManager keys, AdvancedTlsX509TrustManager roots, ClientCertificates clients) {
        static Secrets of(ServerTls tls) {
            try {
                var roots = AdvancedTlsX509TrustManager.newBuilder()
                        // Callers are known by their SPIFFE ids, not by host names.
                        .setVerification(Verification.CERTIFICATE_ONLY_VERIFICATION)
                        .build();
                var secrets = new Secrets(new AdvancedTlsX509KeyManager(), roots, tls.clients());
                secrets.replace(tls);
                return secrets;
            } catch (GeneralSecurityException unusable) {
                throw new IllegalArgumentException("cannot serve with " + tls + ": " + unusable.getMessage(), unusable);
            }
        }

        void replace(ServerTls tls) {
            try {
                keys.updateIdentityCredentials(tls.chain().toArray(X509Certificate[]::new), tls.key());
                roots.updateTrustCredentials(tls.trust().toArray(X509Certificate[]::new));
            } catch (IOException | GeneralSecurityException unusable) {
                throw new IllegalArgumentException("cannot serve with " + tls + ": " + unusable.getMessage(), unusable);
            }
        }

        ServerCredentials credentials() {
            return TlsServerCredentials.newBuilder()
                    .keyManager(keys)
                    .trustManager(roots)
                    .clientAuth(
                            clients == ClientCertificates.REQUIRED
                                    ? TlsServerCredentials.ClientAuth.REQUIRE
                                    : TlsServerCredentials.ClientAuth.NONE)
                    .build();
        }
    }

    /// Puts where [Peer#current()] looks what the handshake proved.
    private static final class PeerOfCall implements ServerInterceptor {
        @Override
        public <Q, R> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
            var peer = Peer.of(chain(call), String.valueOf(call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR)));
            return Contexts.interceptCall(Context.current().withValue(Peer.CURRENT, peer), call, headers, next);
        }

        private static Certificate[] chain(ServerCall<?, ?> call) {
            var session = call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION);
            if (session == null) {
                return new Certificate[0];
            }
            try {
                return session.getPeerCertificates();
            } catch (SSLPeerUnverifiedException anonymous) {
                return new Certificate[0];
            }
        }
    }
}
