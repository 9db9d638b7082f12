package dev.bodyguard.proxy.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
@SuppressWarnings("StringConcatToTextBlock") // line ends are part of what is sent
class ForwardingTest {
    private final Rig rig = new Rig();

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    void forwardsHttp1ToHttp1() throws IOException {
        var app = rig.outbound(Rig.echo());
        var front = rig.outbound(rig.relay(rig.plain(app)));

        var answer = Rig.call(
                front, "GET /a?b=c HTTP/1.1\r\nHost: shop\r\nX-One: 1\r\nConnection: close, x-two\r\nX-Two: 2\r\n\r\n");

        assertThat(answer).startsWith("HTTP/1.1 200 OK\r\n").contains("x-path: /a?b=c", "x-got-x-one: 1", "hello shop");
        assertThat(answer).doesNotContain("x-got-x-two");
    }

    @Test
    void forwardsThroughAPairOfProxiesByMutualTlsAndHttp2() throws Exception {
        var pair = pair("payments");

        var answer = Rig.call(
                pair, "POST /pay HTTP/1.1\r\nHost: payments\r\nContent-Length: 5\r\nConnection: close\r\n\r\nmoney");

        assertThat(answer)
                .startsWith("HTTP/1.1 200 OK\r\n")
                .contains("x-version: HTTP/1.1")
                .contains("money");
        rig.hears("HTTP/2 from spiffe://cluster.local/ns/default/sa/checkout");
    }

    @Test
    void forwardsWithoutNativeLibraries() throws Exception {
        try (var plain = Rig.withoutNatives()) {
            assertThat(plain.loops.transport()).isEqualTo("nio");
            assertThat(plain.payments.provider()).isEqualTo("JDK");
            var app = plain.outbound(Rig.echo());
            var inbound = plain.inbound(plain.relay(plain.plain(app)));
            var front = plain.outbound(plain.relay(plain.mtls(inbound, "payments")));

            var body = "m".repeat(100_000);
            var answer = Rig.call(
                    front,
                    "POST /pay HTTP/1.1\r\nHost: payments\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n"
                            + body);
            assertThat(answer).startsWith("HTTP/1.1 200 OK\r\n").contains("x-path: /pay");
            plain.hears("HTTP/2 from spiffe://cluster.local/ns/default/sa/checkout");

            var stranger = plain.outbound(plain.relay(plain.mtls(inbound, "ledger")));
            assertThat(Rig.call(stranger, "GET / HTTP/1.1\r\nHost: ledger\r\nConnection: close\r\n\r\n"))
                    .startsWith("HTTP/1.1 503")
                    .contains("proved to be spiffe://cluster.local/ns/default/sa/payments");
            assertThat(Rig.call(inbound, "GET / HTTP/1.1\r\nHost: payments\r\n\r\n"))
                    .isEmpty();
        }
    }

    @Test
    void takesOffWhateverBelongsToOneConnection() throws Exception {
        var pair = pair("payments");

        var answer = Rig.call(
                pair,
                "POST / HTTP/1.1\r\nHost: payments\r\nConnection: X-One, close , x-two,Content-Length\r\n"
                        + "Connection: x-three\r\nX-One: 1\r\nX-Two: 2\r\nX-Three: 3\r\nX-Four: 4\r\n"
                        + "Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nUpgrade: websocket\r\n"
                        + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-One: t\r\nX-Sum: 1\r\n\r\n");

        assertThat(answer).contains("x-got-x-four: 4", "x-sum: 1");
        assertThat(answer)
                .doesNotContain(
                        "x-one",
                        "x-two",
                        "x-three",
                        "x-got-keep-alive",
                        "x-got-proxy-connection",
                        "x-got-upgrade",
                        "x-got-connection");
    }

    @Test
    void readsABodyByItsLengthHoweverTheLengthIsNamed() throws Exception {
        var pair = pair("payments");

        var answer = Rig.call(
                pair,
                "POST / HTTP/1.1\r\nHost: payments\r\nConnection: content-length\r\nContent-Length: 3\r\n\r\nabc"
                        + "GET /next HTTP/1.1\r\nHost: payments\r\nConnection: close\r\n\r\n");

        assertThat(answer).contains("abc", "x-path: /next");
    }

    @Test
    void understandsAbsoluteFormAndKeepsTheConnection() throws IOException {
        var front = rig.outbound(Rig.echo());

        var answer = Rig.call(
                front,
                "GET http://shop:81/x HTTP/1.1\r\nHost: other\r\n\r\n" + "HEAD / HTTP/1.1\r\nHost: b\r\n\r\n"
                        + "GET /y HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n");

        assertThat(answer).contains("x-path: /x", "hello shop:81", "x-path: /y", "hello b");
        assertThat(answer.split("HTTP/1.1 200", -1)).hasSize(4);
    }

    @Test
    void carriesChunkedBodiesAndTrailersBothWays() throws Exception {
        var pair = pair("payments");

        var answer = Rig.call(
                pair,
                "POST / HTTP/1.1\r\nHost: payments\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                        + "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nX-Sum: 7\r\n\r\n");

        assertThat(answer).contains("transfer-encoding: chunked").endsWith("0\r\nx-sum: 7\r\n\r\n");
    }

    @Test
    void refusesAServerThatProvesToBeSomebodyElse() throws Exception {
        var app = rig.outbound(Rig.echo());
        var inbound = rig.inbound(rig.relay(rig.plain(app)));
        var front = rig.outbound(rig.relay(rig.mtls(inbound, "ledger")));

        var answer = Rig.call(front, "GET / HTTP/1.1\r\nHost: ledger\r\nConnection: close\r\n\r\n");

        assertThat(answer)
                .startsWith("HTTP/1.1 503")
                .contains("proved to be spiffe://cluster.local/ns/default/sa/payments");
        rig.hears("ConnectFailed");
    }

    @Test
    void refusesPlaintextWhereMutualTlsIsExpected() throws Exception {
        var inbound = rig.inbound(Rig.echo());

        var answer = Rig.call(inbound, "GET / HTTP/1.1\r\nHost: payments\r\n\r\n");

        assertThat(answer).isEmpty();
        assertThat(rig.hears("plaintext")).contains("plaintext HTTP/1 (GET)", "STRICT");
    }

    @Test
    void usesTheNewIdentityForNewHandshakesOnly() throws Exception {
        var app = rig.outbound(Rig.echo());
        var inbound = rig.inbound(rig.relay(rig.plain(app)));
        var front = rig.outbound(rig.relay(rig.mtls(inbound, "payments", "renamed")));
        var request = "GET / HTTP/1.1\r\nHost: payments\r\nConnection: close\r\n\r\n";
        assertThat(Rig.call(front, request)).startsWith("HTTP/1.1 200");
        var fresh = rig.outbound(rig.relay(rig.mtls(inbound, "renamed")));

        rig.payments.rotate(rig.svid("renamed"));

        assertThat(Rig.call(front, request)).startsWith("HTTP/1.1 200");
        assertThat(Rig.call(fresh, request)).startsWith("HTTP/1.1 200");
    }

    @Test
    void saysWhenNobodyListens() throws Exception {
        var gone = rig.outbound(Rig.echo());
        var target = rig.plain(gone);
        gone.close();
        var front = rig.outbound(rig.relay(target));

        var answer = Rig.call(front, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

        assertThat(answer).contains("503").contains("refused");
    }

    @Test
    void takesNoMoreInterimAnswersThanItsLimit() throws Exception {
        try (var server = new ServerSocket(0, 1, Rig.anyPort().getAddress())) {
            Thread.startVirtualThread(() -> {
                try (var socket = server.accept()) {
                    Rig.readUntil(socket.getInputStream(), "\r\n\r\n");
                    var interim = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(Limits.INTERIM_ANSWERS + 1);
                    socket.getOutputStream().write(interim.getBytes(StandardCharsets.US_ASCII));
                    Rig.readUntil(socket.getInputStream(), "never");
                } catch (IOException _) {
                    // The test is over.
                }
            });
            var target = Rig.plain(new InetSocketAddress(server.getInetAddress(), server.getLocalPort()));
            var front = rig.outbound(rig.relay(target));

            var answer = Rig.call(front, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

            assertThat(answer.split("HTTP/1.1 103", -1)).hasSize(Limits.INTERIM_ANSWERS + 1);
            assertThat(answer).contains("HTTP/1.1 503");
            assertThat(rig.hears("Malformed: ")).endsWith("more than 32 interim answers");
        }
    }

    private Listener pair(String name) throws IOException {
        var app = rig.outbound(Rig.echo());
        var inbound = rig.inbound(rig.relay(rig.plain(app)));
        return rig.outbound(rig.relay(rig.mtls(inbound, name)));
    }

    @Test
    void tellsAClientOfHttp10ThatItsConnectionGoesOn() throws Exception {
        var front = rig.outbound(rig.relay(Rig.plain(rig.outbound(sized()).address())));

        var answers = Rig.call(
                front,
                "GET /1 HTTP/1.0\r\nHost: shop\r\nConnection: keep-alive\r\n\r\n"
                        + "GET /2 HTTP/1.0\r\nHost: shop\r\n\r\n");

        assertThat(answers.split("HTTP/1.1 200 OK"))
                .satisfiesExactly(
                        before -> assertThat(before).isEmpty(),
                        first -> assertThat(first).contains("connection: keep-alive\r\n"),
                        last -> assertThat(last).contains("connection: close\r\n"));
    }

    /// An application whose answers say how long they are.
    private static RequestHandler sized() {
        return exchange -> {
            exchange.head(Response.of(200, Fields.of("content-length", "2")), false);
            exchange.data(Rig.text("ok"), true);
            return new Silent();
        };
    }
}
