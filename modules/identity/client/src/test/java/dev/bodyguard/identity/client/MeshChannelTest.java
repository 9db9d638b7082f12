package dev.bodyguard.identity.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bodyguard.identity.authority.Authority;
import dev.bodyguard.identity.authority.RootFolder;
import dev.bodyguard.identity.authority.ServerNames;
import dev.bodyguard.identity.spiffe.AcceptedPeers;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.identity.spiffe.SvidKeyManager;
import dev.bodyguard.identity.spiffe.SvidTrustManager;
import dev.bodyguard.identity.spiffe.SvidVerifier;
import dev.bodyguard.identity.spiffe.Verdict;
import dev.bodyguard.xds.protocol.identity.v1.IdentityGrpc;
import dev.bodyguard.xds.protocol.identity.v1.SignRequest;
import dev.bodyguard.xds.protocol.identity.v1.SignResponse;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Against a real gRPC server that wants a certificate and answers with the name in it.
class MeshChannelTest {
    private static final InstantSource CLOCK = InstantSource.system();
    private static final SpiffeId CONFIG = account("config");
    private static final Context.Key<SSLSession> SESSION = Context.key("session");

    @TempDir
    private Path folder;

    private final BlockingQueue<Verdict.Refused> refused = new LinkedBlockingQueue<>();
    private final AtomicReference<@Nullable Svid> own = new AtomicReference<>();
    private Authority authority;
    private Server server;

    @BeforeEach
    void start() throws IOException {
        authority = Authority.open(
                "cluster.local", new RootFolder(folder), Authority.Lifetimes.DAY, _ -> {}, CLOCK, new SecureRandom());
        var config = issue("config");
        var verifier = new SvidVerifier(authority::bundle, CLOCK);
        var tls = GrpcSslContexts.configure(
                        SslContextBuilder.forServer(new SvidKeyManager(() -> config)), SslProvider.JDK)
                .protocols("TLSv1.3")
                .clientAuth(ClientAuth.REQUIRE)
                .trustManager(new SvidTrustManager(verifier, new AcceptedPeers.EveryMember(), _ -> {}))
                .build();
        server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .sslContext(tls)
                .intercept(new RemembersSession())
                .addService(new AnswersWithName())
                .build()
                .start();
    }

    @AfterEach
    void stop() {
        server.shutdownNow();
    }

    @ParameterizedTest
    @EnumSource(names = {"JDK", "OPENSSL"})
    void showsTheRenewedCertificateOnTheNextConnection(SslProvider provider) throws IOException {
        own.set(issue("checkout"));
        var channel = channel(CONFIG, provider);
        try {
            assertThat(whoAmI(channel)).isEqualTo(account("checkout").toString());
            own.set(issue("checkout-renewed"));
            assertThat(whoAmI(channel))
                    .as("the same connection")
                    .isEqualTo(account("checkout").toString());

            // A session of the last second may still be resumed, with what it began with.
            var renewed = account("checkout-renewed").toString();
            var deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
            var seen = "";
            while (!seen.equals(renewed) && System.nanoTime() < deadline) {
                channel.enterIdle();
                seen = whoAmI(channel);
            }
            assertThat(seen).isEqualTo(renewed);
        } finally {
            channel.shutdownNow();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"JDK", "OPENSSL"})
    void saysWhoAnsweredInsteadOfTheServerWanted(SslProvider provider) throws Exception {
        own.set(issue("checkout"));
        var channel = channel(account("discovery"), provider);
        try {
            assertThatThrownBy(() -> whoAmI(channel)).isInstanceOf(StatusRuntimeException.class);
        } finally {
            channel.shutdownNow();
        }

        var verdict = refused.poll(20, TimeUnit.SECONDS);
        assertThat(verdict)
                .isEqualTo(new Verdict.Refused(
                        Verdict.Reason.WRONG_NAME,
                        "the peer is " + CONFIG + ", accepted here is " + account("discovery")));
    }

    @ParameterizedTest
    @EnumSource(names = {"JDK", "OPENSSL"})
    void isRefusedWithoutACertificateByAServerThatWantsOne(SslProvider provider) {
        var channel = channel(CONFIG, provider);
        try {
            assertThatThrownBy(() -> whoAmI(channel)).isInstanceOf(StatusRuntimeException.class);
        } finally {
            channel.shutdownNow();
        }
    }

    private ManagedChannel channel(SpiffeId wanted, SslProvider provider) {
        return new MeshChannel(wanted, authority::bundle, own::get, refused::add, CLOCK)
                .to("127.0.0.1:" + server.getPort(), provider)
                .build();
    }

    private static String whoAmI(ManagedChannel channel) {
        return IdentityGrpc.newBlockingStub(channel)
                .withDeadlineAfter(20, TimeUnit.SECONDS)
                .sign(SignRequest.getDefaultInstance())
                .getTrustDomain();
    }

    private Svid issue(String name) throws IOException {
        return authority.issue(account(name), Duration.ZERO, ServerNames.NONE);
    }

    private static SpiffeId account(String name) {
        return SpiffeId.ofServiceAccount("cluster.local", "default", name);
    }

    private static final class RemembersSession implements ServerInterceptor {
        @Override
        public <Q, R> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
            var session = call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION);
            return Contexts.interceptCall(
                    Context.current().withValue(SESSION, Objects.requireNonNull(session)), call, headers, next);
        }
    }

    private static final class AnswersWithName extends IdentityGrpc.IdentityImplBase {
        @Override
        public void sign(SignRequest request, StreamObserver<SignResponse> response) {
            try {
                var leaf = (X509Certificate) SESSION.get().getPeerCertificates()[0];
                var name = SvidVerifier.idOf(leaf) instanceof Verdict.Trusted(var id) ? id.toString() : "nobody";
                response.onNext(SignResponse.newBuilder().setTrustDomain(name).build());
                response.onCompleted();
            } catch (SSLPeerUnverifiedException unverified) {
                response.onError(unverified);
            }
        }
    }
}
