package dev.bodyguard.identity.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.bodyguard.identity.authority.Authority;
import dev.bodyguard.identity.client.Enrolment;
import dev.bodyguard.identity.client.LiveSvid;
import dev.bodyguard.identity.client.MeshChannel;
import dev.bodyguard.identity.spiffe.JoinKey;
import dev.bodyguard.identity.spiffe.JoinToken;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.identity.spiffe.Verdict;
import dev.bodyguard.xds.protocol.identity.v1.IdentityGrpc;
import dev.bodyguard.xds.protocol.identity.v1.SignRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// The service on its port, called by the sidecar's own client: real TLS 1.3, real gRPC.
@Execution(ExecutionMode.CONCURRENT)
class IdentityServerTest {
    private static final InstantSource CLOCK = InstantSource.system();
    private static final SpiffeId CHECKOUT = SpiffeId.ofServiceAccount("cluster.local", "default", "checkout");

    @TempDir
    private Path folder;

    private final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
    private final BlockingQueue<String> happened = new LinkedBlockingQueue<>();
    private final BlockingQueue<Verdict.Refused> serversRefused = new LinkedBlockingQueue<>();
    private MeshState state;
    private IdentityServer server;

    @BeforeEach
    void start() throws IOException {
        state = MeshState.open(folder, "cluster.local", Authority.Lifetimes.DAY, CLOCK, new SecureRandom());
        server = IdentityServer.start(
                "127.0.0.1",
                0,
                state.authority(),
                state.tokens(),
                Events.all(List.of(new CountedEvents(metrics), new Heard())),
                CLOCK);
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
        state.close();
    }

    @Test
    void givesTheBearerOfATokenItsCertificateAndRenewsIt() throws Exception {
        var token = state.admit("default", "checkout");
        var rotated = new LinkedBlockingQueue<Svid>();
        var enrolment =
                new Enrolment(CHECKOUT, Enrolment.Token.in(token), state.bundle(), Duration.ofSeconds(10), null);
        var events = new dev.bodyguard.identity.client.Events() {
            @Override
            public void rotated(Svid svid) {
                rotated.add(svid);
            }
        };

        try (var live = LiveSvid.start(enrolment, () -> channel("identity"), events, CLOCK)) {
            var first = live.await(Duration.ofSeconds(30));
            assertThat(rotated.poll(30, TimeUnit.SECONDS)).isEqualTo(first);
            var second = rotated.poll(30, TimeUnit.SECONDS);

            assertThat(second).isNotNull();
            assertThat(second.id()).isEqualTo(CHECKOUT);
            assertThat(second.issuedAt()).isBefore(first.expiresAt());
            assertThat(second.bundle()).isEqualTo(state.bundle());
            assertThat(live.current()).isEqualTo(second);
        }
        assertThat(metrics.get("bodyguard.identity.issued").counter().count()).isEqualTo(2);
        assertThat(happened).contains("issued " + CHECKOUT);
    }

    @Test
    void certifiesAServiceOfTheControlPlaneForTheHostOfItsServiceAndForLoopback() throws Exception {
        assertThat(namesOf("bodyguard-system", "injector"))
                .containsExactly(
                        "spiffe://cluster.local/ns/bodyguard-system/sa/injector",
                        "bodyguard-injector.bodyguard-system.svc",
                        "bodyguard-injector.bodyguard-system.svc.cluster.local",
                        "localhost",
                        "127.0.0.1",
                        "0:0:0:0:0:0:0:1");
        assertThat(namesOf("default", "checkout")).containsExactly("spiffe://cluster.local/ns/default/sa/checkout");
    }

    private List<String> namesOf(String namespace, String account) throws Exception {
        var token = state.joinKey().mint(namespace, account);
        var enrolment = new Enrolment(
                SpiffeId.ofServiceAccount("cluster.local", namespace, account),
                () -> token,
                state.bundle(),
                Duration.ZERO,
                null);
        try (var live = LiveSvid.start(
                enrolment, () -> channel("identity"), new dev.bodyguard.identity.client.Events() {}, CLOCK)) {
            return live.await(Duration.ofSeconds(30)).leaf().getSubjectAlternativeNames().stream()
                    .map(name -> String.valueOf(name.get(1)))
                    .toList();
        }
    }

    @Test
    void doesNotGiveCheckoutTheCertificateOfPaymentService() {
        var token = state.joinKey().mint("default", "checkout");

        var refusal = refused(request(token, "default", "payment-service"));

        assertThat(refusal.getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
        assertThat(refusal.getDescription())
                .isEqualTo("the token is good for default/checkout, not for default/payment-service");
        assertThat(happened)
                .anyMatch(line -> line.startsWith("refused default/payment-service") && line.contains("127.0.0.1"));
        assertThat(metrics.get("bodyguard.identity.refused")
                        .tag("reason", "permission_denied")
                        .counter()
                        .count())
                .isEqualTo(1);
    }

    @Test
    void refusesAnotherNamespaceNoTokenAndAForeignToken() {
        var token = state.joinKey().mint("default", "checkout");
        var foreign = JoinKey.random(new SecureRandom()).mint("default", "checkout");

        assertThat(refused(request(token, "other", "checkout")).getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
        assertThat(refused(request(new JoinToken(""), "default", "checkout")).getCode())
                .isEqualTo(Status.Code.UNAUTHENTICATED);
        assertThat(refused(request(foreign, "default", "checkout")).getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
        assertThat(happened).noneMatch(line -> line.contains(foreign.text()) || line.contains(token.text()));
    }

    @Test
    void refusesWhatIsNoRequest() {
        var token = state.joinKey().mint("default", "checkout");

        var refusal = refused(request(token, "default", "checkout"));

        assertThat(refusal.getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(refusal.getDescription()).contains("not a PKCS #10 CSR");
    }

    @Test
    void isNotTakenForAnotherServer() {
        var channel = channel("config");
        try {
            assertThatThrownBy(() -> IdentityGrpc.newBlockingStub(channel)
                            .withDeadlineAfter(20, TimeUnit.SECONDS)
                            .sign(SignRequest.getDefaultInstance()))
                    .isInstanceOf(StatusRuntimeException.class);
        } finally {
            channel.shutdownNow();
        }

        assertThat(serversRefused).isNotEmpty();
        assertThat(serversRefused.element().reason()).isEqualTo(Verdict.Reason.WRONG_NAME);
        assertThat(serversRefused.element().sentence()).contains("sa/identity", "sa/config");
    }

    @Test
    void findsItsStateAgain() throws IOException {
        var token = Files.readString(state.admit("default", "checkout"));

        try (var again = MeshState.open(folder, "cluster.local", Authority.Lifetimes.DAY, CLOCK, new SecureRandom())) {
            assertThat(again.bundle()).isEqualTo(state.bundle());
            assertThat(again.joinKey().verify(new JoinToken(token.strip())))
                    .isEqualTo(new JoinKey.Admitted("default", "checkout"));
            assertThat(again.admit("default", "checkout")).isEqualTo(folder.resolve("join/checkout.token"));
        }
    }

    private ManagedChannel channel(String serverAccount) {
        var server = ServerSvid.id("cluster.local", serverAccount);
        return new MeshChannel(server, state::bundle, () -> null, serversRefused::add, CLOCK)
                .to(this.server.address())
                .build();
    }

    private static SignRequest request(JoinToken token, String namespace, String account) {
        return SignRequest.newBuilder()
                .setJoinToken(token.text())
                .setNamespace(namespace)
                .setServiceAccount(account)
                .setCsr(ByteString.copyFromUtf8("not a CSR"))
                .build();
    }

    private Status refused(SignRequest request) {
        var channel = channel("identity");
        try {
            var response = IdentityGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(20, TimeUnit.SECONDS)
                    .sign(request);
            throw new AssertionError("signed: " + response);
        } catch (StatusRuntimeException refused) {
            return refused.getStatus();
        } finally {
            channel.shutdownNow();
        }
    }

    private final class Heard implements Events {
        @Override
        public void issued(SpiffeId id, String serial, Instant until, String peer, Duration took) {
            happened.add("issued " + id);
        }

        @Override
        public void refused(String wanted, Status.Code code, String why, String peer) {
            happened.add("refused " + wanted + " to " + peer + ": " + why);
        }
    }
}
