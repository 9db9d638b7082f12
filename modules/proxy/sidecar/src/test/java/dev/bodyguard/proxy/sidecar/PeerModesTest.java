package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.proxy.engine.Resources;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Who is let in without mutual TLS, as the mode of a port changes under callers that stand.
class PeerModesTest {
    private App app;
    private TestSidecar callee;

    @BeforeEach
    void start() throws IOException {
        app = new App((_, answer) -> answer.send(200, "paid"));
        callee = withoutTls(app.port());
    }

    private static TestSidecar withoutTls(int port) throws IOException {
        var sidecar = new TestSidecar("payment-service", port, new TestAuthority("cluster.local").svid("payment"));
        var listener = Given.inbound(port).toBuilder();
        listener.getFilterChainsBuilderList()
                .forEach(chain -> chain.clearTransportSocket()
                        .getFilterChainMatchBuilder()
                        .clearApplicationProtocols());
        sidecar.config
                .put(Resources.LISTENER, "outbound", Given.outboundAllowingAny())
                .put(Resources.LISTENER, "inbound", listener.build())
                .put(Resources.CLUSTER, "inbound|" + port + "||", Given.inboundCluster(port));
        sidecar.follow();
        TestSidecar.eventually(
                "the app's cluster is known",
                () -> sidecar.plan().cluster("inbound|" + port + "||") != null
                        && sidecar.plan().inbound(port) != null);
        return sidecar;
    }

    @AfterEach
    void stop() throws IOException {
        callee.close();
        app.close();
    }

    @Test
    void whereNoTlsIsAskedAPlaintextCallerIsAnswered() throws IOException {
        try (var caller = connect()) {
            assertThat(ask(caller, answers(caller)).body()).isEqualTo("paid");
        }
        assertThat(callee.line(1)).contains("\"connection_security_policy\":\"none\"");
    }

    @Test
    void onceTlsIsAskedNeitherAnOldConnectionNorANewOneIsServedWithoutIt() throws IOException {
        try (var old = connect()) {
            var answers = answers(old);
            assertThat(ask(old, answers).status()).isEqualTo(200);

            callee.config.put(Resources.LISTENER, "inbound", Given.inbound(app.port()));
            TestSidecar.eventually("STRICT is in force", () -> {
                var rule = callee.plan().inbound(app.port());
                return rule != null && !rule.security().plaintext();
            });

            var refused = ask(old, answers);
            assertThat(refused.status()).isEqualTo(403);
            assertThat(refused.body()).contains("only mutual TLS is let in here by now (STRICT)");
        }
        try (var late = connect()) {
            late.getOutputStream().write(request());
            assertThat(late.getInputStream().read()).isNegative();
        }
        assertThat(callee.refusals)
                .singleElement()
                .asString()
                .contains("plaintext HTTP/1 (GET) on a port that accepts mutual TLS only");
        assertThat(app.seen).hasSize(1);
    }

    /// As MySQL does, to a caller without a sidecar.
    @Test
    void anAppThatSpeaksFirstIsHeardAtOnceWithoutASidecarOnTheOtherSide() throws IOException {
        try (var greeter = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                var plain = withoutTls(greeter.getLocalPort())) {
            var best = Duration.ofDays(1);
            for (int i = 0; i < 10; i++) {
                long from = System.nanoTime();
                try (var caller = new Socket(InetAddress.getLoopbackAddress(), plain.inboundPort());
                        var accepted = greeter.accept()) {
                    caller.setSoTimeout(20_000);
                    accepted.getOutputStream().write("220 hello".getBytes(StandardCharsets.US_ASCII));
                    assertThat(caller.getInputStream().readNBytes(9)).hasSize(9);
                }
                var took = Duration.ofNanos(System.nanoTime() - from);
                best = took.compareTo(best) < 0 ? took : best;
            }

            assertThat(best).isLessThan(OutboundTunnels.SILENCE);
            TestSidecar.eventually("all are over", () -> plain.lines() == 10);
            assertThat(plain.metrics()).containsPattern("istio_tcp_connections_opened_total\\{.*} 10");
        }
    }

    /// The app is dialled before its caller has said a word, in vain where that is HTTP, and not twice.
    @Test
    void anAppOfHttpIsDialledInVainOnceAtMost() throws IOException {
        try (var listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                var plain = withoutTls(listening.getLocalPort())) {
            listening.setSoTimeout(20_000);
            for (int i = 0; i < 2; i++) {
                try (var caller = new Socket(InetAddress.getLoopbackAddress(), plain.inboundPort())) {
                    caller.setSoTimeout(20_000);
                    if (i == 0) {
                        try (var unused = listening.accept()) {
                            caller.getOutputStream().write(request());
                            assertThat(unused.getInputStream().read()).isNegative();
                        }
                    } else {
                        caller.getOutputStream().write(request());
                    }
                    try (var used = listening.accept()) {
                        assertThat(Http1.need(new BufferedInputStream(used.getInputStream()), false)
                                        .first())
                                .isEqualTo("GET /pay HTTP/1.1");
                        used.getOutputStream()
                                .write("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
                                        .getBytes(StandardCharsets.US_ASCII));
                        assertThat(Http1.need(new BufferedInputStream(caller.getInputStream()), false)
                                        .status())
                                .isEqualTo(200);
                    }
                }
            }

            TestSidecar.eventually("both requests are told", () -> plain.lines() == 2);
            assertThat(plain.metrics()).doesNotContain("istio_tcp_connections_opened_total{");
            assertThat(plain.doubts).hasValue(0);
            assertThat(plain.app.problems()).isEmpty();
        }
    }

    private Socket connect() throws IOException {
        var socket = new Socket(InetAddress.getLoopbackAddress(), callee.inboundPort());
        socket.setSoTimeout(20_000);
        return socket;
    }

    private static InputStream answers(Socket socket) throws IOException {
        return new BufferedInputStream(socket.getInputStream());
    }

    private static Http1.Message ask(Socket socket, InputStream answers) throws IOException {
        socket.getOutputStream().write(request());
        return Http1.need(answers, false);
    }

    private static byte[] request() {
        return "GET /pay HTTP/1.1\r\nhost: payment-service\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    }
}
