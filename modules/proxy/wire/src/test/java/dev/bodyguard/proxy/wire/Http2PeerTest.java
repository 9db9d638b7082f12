package dev.bodyguard.proxy.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// HTTP/2 as the other side speaks it, frame by frame.
@Timeout(60)
@SuppressWarnings("StringConcatToTextBlock") // line ends are part of what is sent
class Http2PeerTest {
    private static final int MAX_CONCURRENT_STREAMS = 3;
    private static final int PROTOCOL_ERROR = 1;
    private static final int STREAM_CLOSED = 5;
    private static final int LAST = Frames.END_HEADERS | Frames.END_STREAM;

    private final Rig rig = new Rig();
    private ServerSocket server = open();

    @BeforeEach
    void listen() throws IOException {
        server.setSoTimeout(30_000);
    }

    @AfterEach
    void close() throws IOException {
        rig.close();
        server.close();
    }

    @Test
    void countsStreamsAboveAGoAwaysLastAsRefused() throws Exception {
        var front = front();
        var first = get(front);
        var peer = Frames.server(server.accept());
        peer.settings();
        int served = peer.next(Frames.HEADERS).stream();
        var second = get(front);
        int left = peer.next(Frames.HEADERS).stream();

        peer.write(Frames.GOAWAY, 0, 0, new byte[] {0, 0, 0, (byte) served, 0, 0, 0, 0});
        peer.write(Frames.HEADERS, LAST, served, Frames.OK);

        assertThat(first.join()).startsWith("HTTP/1.1 200");
        assertThat(second.join()).startsWith("HTTP/1.1 503").contains("going away");
        rig.hears("Refused: ");
        assertThat(left).isGreaterThan(served);
        peer.readToEnd();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
                "<html>Invalid HTTP version</html>",
                "",
            })
    void tellsAPeerThatDoesNotSpeakHttp2FromOneThatIsNotThere(String said) throws Exception {
        var front = front();
        var answer = get(front);

        try (var peer = server.accept()) {
            peer.getInputStream().readNBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".length());
            peer.getOutputStream().write(said.getBytes(StandardCharsets.US_ASCII));
            peer.shutdownOutput();
            assertThat(answer.join())
                    .startsWith("HTTP/1.1 503")
                    .contains(said.isEmpty() ? " hung up on HTTP/2" : " does not answer in HTTP/2");
        }
        rig.hears("NotHttp2: ");
    }

    @Test
    void opensAnotherConnectionWhereTheFirstIsFull() throws Exception {
        var front = front();
        var first = get(front);
        var full = Frames.server(server.accept());
        full.settings(MAX_CONCURRENT_STREAMS, 1);
        int one = full.next(Frames.HEADERS).stream();

        var second = get(front);
        var other = Frames.server(server.accept());
        other.settings();
        int two = other.next(Frames.HEADERS).stream();
        other.write(Frames.HEADERS, LAST, two, Frames.OK);
        assertThat(second.join()).startsWith("HTTP/1.1 200");

        full.write(Frames.HEADERS, LAST, one, Frames.OK);
        assertThat(first.join()).startsWith("HTTP/1.1 200");
    }

    @Test
    void letsRequestsWaitForStreamsThatThePeerTurnsOutNotToAllow() throws Exception {
        var front = front();
        var first = get(front);
        var second = get(front);
        var peer = Frames.server(server.accept());
        rig.hears("GET http://shop/ HTTP/1.1");
        rig.hears("GET http://shop/ HTTP/1.1");

        peer.settings(MAX_CONCURRENT_STREAMS, 1);

        int one = peer.next(Frames.HEADERS).stream();
        peer.write(Frames.PING, 0, 0, new byte[8]);
        // Whatever was written before this answer would have been read by now.
        for (var frame = peer.next(Frames.PING); !frame.has(Frames.ACK); frame = peer.next(Frames.PING)) {}
        peer.write(Frames.HEADERS, LAST, one, Frames.OK);
        int two = peer.next(Frames.HEADERS).stream();
        peer.write(Frames.HEADERS, LAST, two, Frames.OK);
        assertThat(first.join()).startsWith("HTTP/1.1 200");
        assertThat(second.join()).startsWith("HTTP/1.1 200");
        assertThat(two).isGreaterThan(one);
    }

    @Test
    void answersAClientThatKnowsItMaySpeakHttp2() throws Exception {
        var app = rig.outbound(Rig.echo());
        var inbound = rig.inbound(rig.relay(rig.h2c(app)));
        var front = rig.outbound(rig.relay(rig.mtls(inbound, "payments")));

        try (var client = Frames.client(Rig.socket(front))) {
            client.write(Frames.HEADERS, Frames.END_HEADERS, 1, Frames.request("POST", "shop", "te", "trailers"));
            client.write(Frames.DATA, 0, 1, "ab".getBytes(StandardCharsets.US_ASCII));
            client.write(Frames.DATA, 0, 1, "cd".getBytes(StandardCharsets.US_ASCII));
            client.write(Frames.HEADERS, LAST, 1, Frames.fields("x-sum", "4"));

            var head = client.next(Frames.HEADERS);
            assertThat(head.has(Frames.END_STREAM)).isFalse();
            assertThat(head.payload()).startsWith(Frames.OK);
            var body = new StringBuilder();
            var trailers =
                    client.next(Frames.HEADERS, data -> body.append(new String(data, StandardCharsets.US_ASCII)));
            assertThat(body).hasToString("abcd");
            assertThat(trailers.has(Frames.END_STREAM)).isTrue();
        }
        assertThat(rig.hears("HTTP/2 from spiffe")).contains("checkout");
    }

    @Test
    void answersAClientThatSpeaksHttp2InsideOfAConnect() throws Exception {
        var front = rig.outbound(Rig.echo());

        try (var socket = Rig.socket(front)) {
            socket.getOutputStream()
                    .write("CONNECT shop:50051 HTTP/1.1\r\nHost: shop:50051\r\n\r\n"
                            .getBytes(StandardCharsets.ISO_8859_1));
            assertThat(Rig.readUntil(socket.getInputStream(), "\r\n\r\n")).startsWith("HTTP/1.1 200 ");
            try (var client = Frames.client(socket)) {
                client.write(Frames.HEADERS, LAST, 1, Frames.request("GET", "shop:50051"));
                assertThat(client.next(Frames.DATA).payload())
                        .isEqualTo("hello shop:50051".getBytes(StandardCharsets.US_ASCII));
            }
        }
    }

    @Test
    void refusesAnotherHeadOnAStreamThatItsClientHasEnded() throws Exception {
        var front = rig.outbound(_ -> new Silent());
        try (var client = Frames.client(Rig.socket(front))) {
            client.write(Frames.HEADERS, LAST, 1, Frames.request("GET", "shop"));
            client.write(Frames.HEADERS, LAST, 1, Frames.request("GET", "shop"));

            var reset = client.next(Frames.RESET);
            assertThat(reset.stream()).isEqualTo(1);
            assertThat(reset.number(0)).isEqualTo(STREAM_CLOSED);
        }
    }

    @Test
    void endsAConnectionOnWhichAStreamGoesOnAfterItsEnd() throws Exception {
        var front = rig.outbound(Rig.echo());
        try (var client = Frames.client(Rig.socket(front))) {
            client.write(Frames.HEADERS, LAST, 1, Frames.request("GET", "shop"));
            assertThat(client.next(Frames.DATA).has(Frames.END_STREAM)).isTrue();
            client.write(Frames.HEADERS, LAST, 1, Frames.request("GET", "shop"));

            assertThat(client.next(Frames.GOAWAY).number(4)).isEqualTo(STREAM_CLOSED);
            client.readToEnd();
        }
    }

    @Test
    void endsAConnectionOnWhichAnOlderStreamBegins() throws Exception {
        var front = rig.outbound(Rig.echo());
        try (var client = Frames.client(Rig.socket(front))) {
            client.write(Frames.HEADERS, LAST, 5, Frames.request("GET", "shop"));
            client.write(Frames.HEADERS, LAST, 3, Frames.request("GET", "shop"));

            assertThat(client.next(Frames.GOAWAY).number(4)).isEqualTo(PROTOCOL_ERROR);
            client.readToEnd();
        }
    }

    @Test
    void readsOverWhatWasOnItsWayToAStreamThatNeverBegan() throws Exception {
        var front = rig.outbound(Rig.echo());
        try (var client = Frames.client(Rig.socket(front))) {
            client.write(Frames.HEADERS, Frames.END_HEADERS, 1, Frames.request("POST", "shop", "connection", "x"));
            client.write(Frames.HEADERS, LAST, 3, Frames.request("GET", "shop"));
            assertThat(client.next(Frames.RESET).stream()).isEqualTo(1);
            client.write(Frames.DATA, 0, 1, "on its way".getBytes(StandardCharsets.US_ASCII));

            client.write(Frames.HEADERS, LAST, 5, Frames.request("GET", "shop"));
            for (var frame = client.next(Frames.DATA); frame.stream() != 5; frame = client.next(Frames.DATA)) {}
        }
    }

    @Test
    void readsOverWhatWasOnItsWayToAStreamThatWasReset() throws Exception {
        var front = rig.outbound(Rig.echo());
        try (var client = Frames.client(Rig.socket(front))) {
            client.write(Frames.HEADERS, Frames.END_HEADERS, 1, Frames.request("POST", "shop", "content-length", "1"));
            client.write(Frames.DATA, 0, 1, "too long".getBytes(StandardCharsets.US_ASCII));
            assertThat(client.next(Frames.RESET).stream()).isEqualTo(1);
            client.write(Frames.DATA, 0, 1, "on its way".getBytes(StandardCharsets.US_ASCII));
            client.write(Frames.HEADERS, LAST, 1, Frames.fields("x-sum", "4"));

            client.write(Frames.HEADERS, LAST, 3, Frames.request("GET", "shop"));
            assertThat(client.next(Frames.DATA).stream()).isEqualTo(3);
        }
    }

    private static ServerSocket open() {
        try {
            return new ServerSocket(0, 8, Rig.anyPort().getAddress());
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    private Listener front() throws IOException {
        var target = Rig.h2c(new InetSocketAddress(server.getInetAddress(), server.getLocalPort()));
        return rig.outbound(rig.relay(target));
    }

    private static CompletableFuture<String> get(Listener front) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return Rig.call(front, "GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n");
                    } catch (IOException broken) {
                        throw new UncheckedIOException(broken);
                    }
                },
                Thread::startVirtualThread);
    }
}
