package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.proxy.engine.Resources;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
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
        callee = new TestSidecar("payment-service", app.port(), new TestAuthority("cluster.local").svid("payment"));
        callee.config
                .put(Resources.LISTENER, "outbound", Given.outboundAllowingAny())
                .put(Resources.LISTENER, "inbound", withoutTls())
                .put(Resources.CLUSTER, "inbound|" + app.port() + "||", Given.inboundCluster(app.port()));
        callee.follow();
        TestSidecar.eventually(
                "the app's cluster is known",
                () -> callee.plan().cluster("inbound|" + app.port() + "||") != null
                        && callee.plan().inbound(app.port()) != null);
    }

    @AfterEach
    void stop() throws IOException {
        callee.close();
        app.close();
    }

    private Listener withoutTls() {
        var listener = Given.inbound(app.port()).toBuilder();
        listener.getFilterChainsBuilderList()
                .forEach(chain -> chain.clearTransportSocket()
                        .getFilterChainMatchBuilder()
                        .clearApplicationProtocols());
        return listener.build();
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
