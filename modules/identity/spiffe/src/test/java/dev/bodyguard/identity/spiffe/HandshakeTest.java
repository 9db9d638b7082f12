package dev.bodyguard.identity.spiffe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.identity.spiffe.TestRoot.Leaf;
import dev.bodyguard.identity.spiffe.Verdict.Reason;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// TLS 1.3 over real sockets, each engine on each side: a refusal reaches whoever refused, with its sentence.
class HandshakeTest {
    private static final String CHECKOUT = "spiffe://cluster.local/ns/default/sa/checkout";
    private static final String PAYMENT = "spiffe://cluster.local/ns/default/sa/payment-service";
    private static final Instant NOW = TestRoot.NOW;

    private static final MultiThreadIoEventLoopGroup LOOPS =
            new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
    private static final TestRoot ROOT = new TestRoot("cluster.local", "CN=mesh root");
    private static final TestRoot OTHER = new TestRoot("other.example", "CN=other root");

    @AfterAll
    static void stop() {
        LOOPS.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    @ParameterizedTest
    @CsvSource({"JDK,JDK", "OPENSSL,OPENSSL", "JDK,OPENSSL", "OPENSSL,JDK"})
    void membersMeet(SslProvider client, SslProvider server) throws Exception {
        var seen = shake(client, ROOT.svid(CHECKOUT), server, ROOT.svid(PAYMENT));

        assertThat(seen.byClient()).isEmpty();
        assertThat(seen.byServer()).isEmpty();
        assertThat(seen.protocol()).isEqualTo("TLSv1.3");
    }

    @ParameterizedTest
    @CsvSource({"JDK,JDK", "OPENSSL,OPENSSL"})
    void aServerRefusesAClientOfAnotherTrustDomain(SslProvider client, SslProvider server) throws Exception {
        var stranger = OTHER.svid("spiffe://other.example/ns/default/sa/checkout");
        var seen = shake(client, stranger, server, ROOT.svid(PAYMENT));

        assertThat(refusedByServer(seen, Reason.OTHER_TRUST_DOMAIN)).contains("other.example");
    }

    @ParameterizedTest
    @CsvSource({"JDK,JDK", "OPENSSL,OPENSSL"})
    void aServerRefusesAClientWhoseCertificateExpired(SslProvider client, SslProvider server) throws Exception {
        var late = ROOT.svid(Leaf.named(CHECKOUT).until(NOW.minus(Duration.ofMinutes(1))));
        var seen = shake(client, late, server, ROOT.svid(PAYMENT));

        assertThat(refusedByServer(seen, Reason.EXPIRED)).contains("2026-03-01T11:59:00Z", "2026-03-01T12:00:00Z");
    }

    @ParameterizedTest
    @CsvSource({"JDK,JDK", "OPENSSL,OPENSSL", "JDK,OPENSSL", "OPENSSL,JDK"})
    void aServerRefusesAClientWithoutACertificate(SslProvider client, SslProvider server) throws Exception {
        var seen = shake(client, null, server, ROOT.svid(PAYMENT));

        assertThat(refusedByServer(seen, Reason.NO_CERTIFICATE)).contains("no certificate");
    }

    @ParameterizedTest
    @CsvSource({"JDK,JDK", "OPENSSL,OPENSSL"})
    void aServerRefusesAForger(SslProvider client, SslProvider server) throws Exception {
        var forger = new TestRoot("cluster.local", "CN=mesh root");
        var seen = shake(client, forger.svid(CHECKOUT), server, ROOT.svid(PAYMENT));

        refusedByServer(seen, Reason.UNKNOWN_ROOT);
    }

    @ParameterizedTest
    @CsvSource({"JDK,JDK", "OPENSSL,OPENSSL"})
    void aClientRefusesAnotherService(SslProvider client, SslProvider server) throws Exception {
        var seen = shake(client, ROOT.svid(CHECKOUT), server, ROOT.svid(CHECKOUT));

        assertThat(refusedByClient(seen, Reason.WRONG_NAME)).contains(CHECKOUT, PAYMENT);
    }

    @ParameterizedTest
    @CsvSource({"JDK,JDK", "OPENSSL,OPENSSL"})
    void aClientRefusesAServerOfAnotherTrustDomain(SslProvider client, SslProvider server) throws Exception {
        var stranger = OTHER.svid("spiffe://other.example/ns/default/sa/payment-service");
        var seen = shake(client, ROOT.svid(CHECKOUT), server, stranger);

        refusedByClient(seen, Reason.OTHER_TRUST_DOMAIN);
    }

    @ParameterizedTest
    @CsvSource({"JDK,JDK", "OPENSSL,OPENSSL"})
    void aClientRefusesAServerWhoseCertificateExpired(SslProvider client, SslProvider server) throws Exception {
        var late = ROOT.svid(Leaf.named(PAYMENT).until(NOW.minusSeconds(1)));
        var seen = shake(client, ROOT.svid(CHECKOUT), server, late);

        assertThat(refusedByClient(seen, Reason.EXPIRED)).contains(PAYMENT);
    }

    @ParameterizedTest
    @CsvSource({"JDK,JDK", "OPENSSL,OPENSSL"})
    void theNextHandshakeShowsTheRenewedCertificate(SslProvider client, SslProvider server) throws Exception {
        var own = new AtomicReference<@Nullable Svid>(ROOT.svid(CHECKOUT));
        var clientTls = client(client, own::get);
        var serverTls = server(server, ROOT.svid(PAYMENT));

        var first = shake(clientTls, serverTls);
        own.set(OTHER.svid("spiffe://other.example/ns/default/sa/checkout"));
        var second = shake(clientTls, serverTls);

        assertThat(first.byServer()).isEmpty();
        refusedByServer(second, Reason.OTHER_TRUST_DOMAIN);
    }

    private record Seen(Optional<Verdict.Refused> byClient, Optional<Verdict.Refused> byServer, String protocol) {}

    private static String refusedByServer(Seen seen, Reason reason) {
        assertThat(seen.byServer()).get().extracting(Verdict.Refused::reason).isEqualTo(reason);
        return seen.byServer().orElseThrow().sentence();
    }

    private static String refusedByClient(Seen seen, Reason reason) {
        assertThat(seen.byClient()).get().extracting(Verdict.Refused::reason).isEqualTo(reason);
        return seen.byClient().orElseThrow().sentence();
    }

    private static Seen shake(SslProvider client, @Nullable Svid clientSvid, SslProvider server, Svid serverSvid)
            throws Exception {
        return shake(client(client, () -> clientSvid), server(server, serverSvid));
    }

    private static Seen shake(SslContext client, SslContext server) throws Exception {
        var servers = new CompletableFuture<Optional<Verdict.Refused>>();
        var clients = new CompletableFuture<Optional<Verdict.Refused>>();
        var protocol = new CompletableFuture<String>();
        var listening = new ServerBootstrap()
                .group(LOOPS)
                .channel(NioServerSocketChannel.class)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        watch(channel, server.newHandler(channel.alloc()), servers, new CompletableFuture<>());
                    }
                })
                .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .sync()
                .channel();
        var port = ((InetSocketAddress) listening.localAddress()).getPort();
        var connected = new Bootstrap()
                .group(LOOPS)
                .channel(NioSocketChannel.class)
                .handler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        watch(channel, client.newHandler(channel.alloc(), "127.0.0.1", port), clients, protocol);
                    }
                })
                .connect(listening.localAddress())
                .sync()
                .channel();
        try {
            return new Seen(
                    clients.get(20, TimeUnit.SECONDS),
                    servers.get(20, TimeUnit.SECONDS),
                    protocol.get(20, TimeUnit.SECONDS));
        } finally {
            connected.close().sync();
            listening.close().sync();
        }
    }

    private static void watch(
            SocketChannel channel,
            SslHandler tls,
            CompletableFuture<Optional<Verdict.Refused>> refused,
            CompletableFuture<String> protocol) {
        channel.pipeline().addLast(tls);
        tls.handshakeFuture().addListener(done -> {
            protocol.complete(tls.engine().getSession().getProtocol());
            refused.complete(PeerRefused.in(done.cause()));
        });
    }

    private static SslContext client(SslProvider provider, Supplier<@Nullable Svid> own) throws Exception {
        var verifier = new SvidVerifier(ROOT::bundle, () -> NOW);
        return SslContextBuilder.forClient()
                .sslProvider(provider)
                .protocols("TLSv1.3")
                .endpointIdentificationAlgorithm("HTTPS")
                .keyManager(new SvidKeyManager(own))
                .trustManager(new SvidTrustManager(verifier, new AcceptedPeers.OneOf(SpiffeId.parse(PAYMENT)), _ -> {}))
                .sessionTimeout(1)
                .build();
    }

    private static SslContext server(SslProvider provider, Svid own) throws Exception {
        var verifier = new SvidVerifier(ROOT::bundle, () -> NOW);
        return SslContextBuilder.forServer(new SvidKeyManager(() -> own))
                .sslProvider(provider)
                .protocols("TLSv1.3")
                .clientAuth(ClientAuth.REQUIRE)
                .trustManager(new SvidTrustManager(verifier, new AcceptedPeers.EveryMember(), _ -> {}))
                .build();
    }
}
