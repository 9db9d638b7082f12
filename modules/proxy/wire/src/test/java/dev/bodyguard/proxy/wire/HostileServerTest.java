package dev.bodyguard.proxy.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What a server can do to a client of HTTP/2, each a row: what it does to one of two requests of one connection, what
/// it is told for it, and what becomes of both. Afterwards a third request is served, on a new connection where the
/// old one has ended.
@Timeout(60)
class HostileServerTest {
    private static final int PROTOCOL = 1;
    private static final int FLOW_CONTROL = 3;
    private static final int FRAME_SIZE = 6;
    private static final int COMPRESSION = 9;
    private static final int CALM = Frames.ENHANCE_YOUR_CALM;

    private static final int LAST = Frames.END_HEADERS | Frames.END_STREAM;
    private static final int PADDED = 8;

    private static final int ENABLE_PUSH = 2;
    private static final int INITIAL_WINDOW = 4;
    private static final int MAX_FRAME = 5;
    private static final int ENABLE_CONNECT = 8;

    /// One row.
    ///
    /// @param asked of the request it is done to: its first line and fields
    record Case(String name, String asked, Deed deed, Follows follows) {
        @Override
        public String toString() {
            return name;
        }
    }

    /// What the server does, `stream` being the one request's.
    interface Deed {
        void by(Frames server, int stream) throws IOException;
    }

    sealed interface Follows {
        /// The stream is reset by `code`, its caller told `told`; nobody else is touched.
        record StreamError(int code, String told) implements Follows {}

        /// GOAWAY with `code`, and both callers are told.
        record ConnectionError(int code, String told) implements Follows {}

        /// Both are served.
        record Nothing() implements Follows {}
    }

    private final Rig rig = new Rig();
    private ServerSocket server = open();
    private Listener front;

    @BeforeEach
    void listen() throws IOException {
        server.setSoTimeout(30_000);
        front = rig.outbound(rig.relay(Rig.h2c(new InetSocketAddress(server.getInetAddress(), server.getLocalPort()))));
    }

    @AfterEach
    void close() throws IOException, InterruptedException {
        rig.close();
        server.close();
        rig.leaksNothing();
    }

    static Stream<Case> cases() {
        return Stream.of(
                        onStreamZero(),
                        sizes(),
                        settings(),
                        windows(),
                        states(),
                        blocks(),
                        heads(),
                        bodies(),
                        floods(),
                        harmless())
                .flatMap(group -> group);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void bears(Case row) throws Exception {
        var one = call(row.asked());
        try (var peer = Frames.server(server.accept())) {
            peer.settings();
            int first = peer.next(Frames.HEADERS).stream();
            var other = call(GET);
            int second = peer.next(Frames.HEADERS).stream();

            row.deed().by(peer, first);

            switch (row.follows()) {
                case Follows.StreamError(int code, var told) -> {
                    var reset = peer.next(Frames.RESET);
                    assertThat(reset.stream()).isEqualTo(first);
                    assertThat(reset.number(0)).isEqualTo(code);
                    assertThat(rig.hears("Malformed: ")).contains(told);
                    one.join();
                    serve(peer, second, other);
                    var third = call(GET);
                    serve(peer, peer.next(Frames.HEADERS).stream(), third);
                }
                case Follows.ConnectionError(int code, var told) -> {
                    assertThat(peer.next(Frames.GOAWAY).number(4)).isEqualTo(code);
                    peer.readToEnd();
                    assertThat(rig.hears("Closed: ")).contains(told);
                    assertThat(rig.hears("Closed: ")).contains(told);
                    one.join();
                    other.join();
                    var third = call(GET);
                    try (var next = Frames.server(server.accept())) {
                        next.settings();
                        serve(next, next.next(Frames.HEADERS).stream(), third);
                    }
                }
                case Follows.Nothing() -> {
                    serve(peer, first, one);
                    serve(peer, second, other);
                    var third = call(GET);
                    serve(peer, peer.next(Frames.HEADERS).stream(), third);
                }
            }
        }
    }

    private static void serve(Frames peer, int stream, CompletableFuture<String> caller) throws IOException {
        peer.write(Frames.HEADERS, LAST, stream, Frames.OK);
        assertThat(caller.join()).contains("HTTP/1.1 200");
    }

    // -- what is of streams, and what of the connection (RFC 9113 §6)

    private static Stream<Case> onStreamZero() {
        return Stream.concat(
                Stream.of(
                        broken("DATA on stream 0", PROTOCOL, "", (peer, _) -> peer.write(Frames.DATA, 0, 0, (byte) 1)),
                        broken(
                                "HEADERS on stream 0",
                                PROTOCOL,
                                "",
                                (peer, _) -> peer.write(Frames.HEADERS, LAST, 0, Frames.OK)),
                        broken(
                                "PRIORITY on stream 0",
                                PROTOCOL,
                                "",
                                (peer, _) -> peer.write(Frames.PRIORITY, 0, 0, new byte[5])),
                        broken(
                                "RST_STREAM on stream 0",
                                PROTOCOL,
                                "",
                                (peer, _) -> peer.write(Frames.RESET, 0, 0, new byte[4])),
                        broken(
                                "PUSH_PROMISE on stream 0",
                                PROTOCOL,
                                "",
                                (peer, _) -> peer.write(Frames.PUSH_PROMISE, Frames.END_HEADERS, 0, promise(2))),
                        broken(
                                "CONTINUATION on stream 0",
                                PROTOCOL,
                                "",
                                (peer, _) -> peer.write(Frames.CONTINUATION, Frames.END_HEADERS, 0, Frames.OK))),
                Stream.of(
                        broken(
                                "SETTINGS on a stream",
                                PROTOCOL,
                                "",
                                (peer, stream) -> peer.write(Frames.SETTINGS, 0, stream)),
                        broken(
                                "PING on a stream",
                                PROTOCOL,
                                "",
                                (peer, stream) -> peer.write(Frames.PING, 0, stream, new byte[8])),
                        broken(
                                "GOAWAY on a stream",
                                PROTOCOL,
                                "",
                                (peer, stream) -> peer.write(Frames.GOAWAY, 0, stream, new byte[8]))));
    }

    // -- lengths (§4.2, §6)

    private static Stream<Case> sizes() {
        return Stream.of(
                broken(
                        "SETTINGS of 5 bytes",
                        FRAME_SIZE,
                        "",
                        (peer, _) -> peer.write(Frames.SETTINGS, 0, 0, new byte[5])),
                broken(
                        "an acknowledgement of SETTINGS with settings",
                        FRAME_SIZE,
                        "",
                        (peer, _) -> peer.write(Frames.SETTINGS, Frames.ACK, 0, new byte[6])),
                broken("PING of 7 bytes", FRAME_SIZE, "", (peer, _) -> peer.write(Frames.PING, 0, 0, new byte[7])),
                broken("GOAWAY of 7 bytes", FRAME_SIZE, "", (peer, _) -> peer.write(Frames.GOAWAY, 0, 0, new byte[7])),
                broken(
                        "RST_STREAM of 3 bytes",
                        FRAME_SIZE,
                        "",
                        (peer, stream) -> peer.write(Frames.RESET, 0, stream, new byte[3])),
                broken(
                        "WINDOW_UPDATE of 3 bytes",
                        FRAME_SIZE,
                        "",
                        (peer, stream) -> peer.write(Frames.WINDOW_UPDATE, 0, stream, new byte[3])),
                reset(
                        "PRIORITY of 4 bytes",
                        FRAME_SIZE,
                        "",
                        (peer, stream) -> peer.write(Frames.PRIORITY, 0, stream, new byte[4])),
                broken(
                        "a frame longer than 16,384 bytes",
                        FRAME_SIZE,
                        "",
                        (peer, stream) -> peer.write(Frames.DATA, 0, stream, new byte[16_385])),
                broken(
                        "DATA that is nothing but more padding than it has",
                        PROTOCOL,
                        "",
                        (peer, stream) -> peer.write(Frames.DATA, PADDED, stream, (byte) 9, (byte) 0)),
                broken(
                        "HEADERS with more padding than it has",
                        PROTOCOL,
                        "",
                        (peer, stream) -> peer.write(Frames.HEADERS, LAST | PADDED, stream, (byte) 9, Frames.OK[0])));
    }

    // -- settings (§6.5.2; RFC 8441 §3)

    private static Stream<Case> settings() {
        return Stream.of(
                broken("ENABLE_PUSH 1", PROTOCOL, "", (peer, _) -> peer.settings(ENABLE_PUSH, 1)),
                broken("ENABLE_PUSH 2", PROTOCOL, "", (peer, _) -> peer.settings(ENABLE_PUSH, 2)),
                broken(
                        "INITIAL_WINDOW_SIZE 2^31",
                        FLOW_CONTROL,
                        "",
                        (peer, _) -> peer.settings(INITIAL_WINDOW, Integer.MIN_VALUE)),
                broken("MAX_FRAME_SIZE 16,383", PROTOCOL, "", (peer, _) -> peer.settings(MAX_FRAME, 16_383)),
                broken("MAX_FRAME_SIZE 2^24", PROTOCOL, "", (peer, _) -> peer.settings(MAX_FRAME, 1 << 24)),
                broken("ENABLE_CONNECT_PROTOCOL 2", PROTOCOL, "", (peer, _) -> peer.settings(ENABLE_CONNECT, 2)),
                new Case(
                        "INITIAL_WINDOW_SIZE that makes a window too large",
                        "POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 1\r\n",
                        (peer, stream) -> {
                            peer.write(Frames.WINDOW_UPDATE, 0, stream, number(Integer.MAX_VALUE - 65_535));
                            peer.settings(INITIAL_WINDOW, 65_536);
                        },
                        new Follows.ConnectionError(FLOW_CONTROL, "")));
    }

    // -- credit (§6.9)

    private static Stream<Case> windows() {
        return Stream.of(
                broken(
                        "WINDOW_UPDATE of 0 for the connection",
                        PROTOCOL,
                        "",
                        (peer, _) -> peer.write(Frames.WINDOW_UPDATE, 0, 0, number(0))),
                reset(
                        "WINDOW_UPDATE of 0 for a stream",
                        PROTOCOL,
                        "",
                        (peer, stream) -> peer.write(Frames.WINDOW_UPDATE, 0, stream, number(0))),
                broken(
                        "more credit for the connection than there is",
                        FLOW_CONTROL,
                        "",
                        (peer, _) -> peer.write(Frames.WINDOW_UPDATE, 0, 0, number(Integer.MAX_VALUE))),
                broken(
                        "more credit for a stream than there is",
                        FLOW_CONTROL,
                        "",
                        (peer, stream) -> peer.write(Frames.WINDOW_UPDATE, 0, stream, number(Integer.MAX_VALUE))));
    }

    // -- streams that are not there (§5.1, §8.4)

    private static Stream<Case> states() {
        return Stream.of(
                broken(
                        "DATA on a stream that has not begun",
                        PROTOCOL,
                        "",
                        (peer, stream) -> peer.write(Frames.DATA, 0, stream + 100, (byte) 1)),
                broken(
                        "HEADERS on a stream that has not begun",
                        PROTOCOL,
                        "",
                        (peer, stream) -> peer.write(Frames.HEADERS, LAST, stream + 100, Frames.OK)),
                broken(
                        "RST_STREAM on a stream that has not begun",
                        PROTOCOL,
                        "",
                        (peer, stream) -> peer.write(Frames.RESET, 0, stream + 100, number(8))),
                broken(
                        "WINDOW_UPDATE on a stream that has not begun",
                        PROTOCOL,
                        "",
                        (peer, stream) -> peer.write(Frames.WINDOW_UPDATE, 0, stream + 100, number(1))),
                broken(
                        "HEADERS on a stream of the server's own",
                        PROTOCOL,
                        "",
                        (peer, _) -> peer.write(Frames.HEADERS, Frames.END_HEADERS, 2, Frames.OK)),
                broken(
                        "DATA on a stream of the server's own",
                        PROTOCOL,
                        "",
                        (peer, _) -> peer.write(Frames.DATA, 0, 2, (byte) 1)),
                broken(
                        "PUSH_PROMISE",
                        PROTOCOL,
                        "",
                        (peer, stream) -> peer.write(Frames.PUSH_PROMISE, Frames.END_HEADERS, stream, promise(2))),
                broken("GOAWAY that takes streams back", PROTOCOL, "", (peer, stream) -> {
                    peer.write(Frames.GOAWAY, 0, 0, goAway(stream + 2));
                    peer.write(Frames.GOAWAY, 0, 0, goAway(stream + 4));
                }));
    }

    // -- header blocks (§4.3, §6.10; RFC 7541)

    private static Stream<Case> blocks() {
        return Stream.of(
                broken(
                        "CONTINUATION of nothing",
                        PROTOCOL,
                        "",
                        (peer, stream) -> peer.write(Frames.CONTINUATION, Frames.END_HEADERS, stream, Frames.OK)),
                broken("another frame within a header block", PROTOCOL, "", (peer, stream) -> {
                    peer.write(Frames.HEADERS, 0, stream, Frames.OK);
                    peer.write(Frames.PING, 0, 0, new byte[8]);
                }),
                broken("another stream's frame within a header block", PROTOCOL, "", (peer, stream) -> {
                    peer.write(Frames.HEADERS, 0, stream, Frames.OK);
                    peer.write(Frames.CONTINUATION, Frames.END_HEADERS, stream + 2, Frames.OK);
                }),
                block("index 0", (byte) 0x80),
                block("an index that there is not", (byte) 0xbf),
                block("an integer without end", bytes(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)),
                block("a text that is longer than its block", bytes(0x88, 0x00, 0x05, 'a')),
                block("Huffman's end of string within a text", bytes(0x88, 0x00, 0x84, 0xff, 0xff, 0xff, 0xff, 0)),
                block("padding of Huffman's that is none", bytes(0x88, 0x00, 0x81, 0x00, 0x00)),
                block("a table larger than was allowed", bytes(0x3f, 0xe2, 0x1f, 0x88)),
                block("a change of the table in the middle", bytes(0x88, 0x20)));
    }

    private static Case block(String name, byte... block) {
        return broken(
                "a header block with " + name,
                COMPRESSION,
                "",
                (peer, stream) -> peer.write(Frames.HEADERS, LAST, stream, block));
    }

    // -- what an answer's head may be (§8.1, §8.2, §8.3.2)

    private static Stream<Case> heads() {
        return Stream.of(
                head("no :status", "", "x-a", "1"),
                head("two :status", "", ":status", "200", ":status", "200"),
                head("two different :status", "", ":status", "200", ":status", "500"),
                head(":status after a field", "", "x-a", "1", ":status", "200"),
                head("a :status of two digits", ":status of three digits", ":status", "20"),
                head("a :status of four digits", ":status of three digits", ":status", "2000"),
                head("a :status that is no number", ":status of three digits", ":status", "2x0"),
                head("a :status below 100", ":status of three digits", ":status", "099"),
                head("an empty :status", "", ":status", ""),
                head("a request's :path", "", ":status", "200", ":path", "/"),
                head("nothing but a request's :method", "", ":method", "GET"),
                head("a pseudo header that there is not", "", ":status", "200", ":x", "1"),
                head("a name with a capital", "", ":status", "200", "X-a", "1"),
                head("an empty name", "", ":status", "200", "", "1"),
                head("a name with a blank", "", ":status", "200", "x a", "1"),
                head("a name with a colon", "", ":status", "200", "x:a", "1"),
                head("a name with a line break", "", ":status", "200", "x\r\na", "1"),
                head("a value with a line break", "", ":status", "200", "x-a", "1\r\nset-cookie: a=b"),
                head("a value with a bare line feed", "", ":status", "200", "x-a", "1\n2"),
                head("a value with NUL", "", ":status", "200", "x-a", "1\0002"),
                head("Connection", "", ":status", "200", "connection", "close"),
                head("Keep-Alive", "", ":status", "200", "keep-alive", "timeout=5"),
                head("Proxy-Connection", "", ":status", "200", "proxy-connection", "close"),
                head("Transfer-Encoding", "", ":status", "200", "transfer-encoding", "chunked"),
                head("Upgrade", "", ":status", "200", "upgrade", "websocket"),
                head("a length that is no number", "", ":status", "200", "content-length", "x"),
                head("a negative length", "", ":status", "200", "content-length", "-1"),
                head("a length with a sign", "", ":status", "200", "content-length", "+0"),
                head("a length beyond numbers", "", ":status", "200", "content-length", "9".repeat(30)),
                head("two lengths", "", ":status", "200", "content-length", "1", "content-length", "2"),
                head("an interim answer that ends the stream", "an interim answer", ":status", "103"),
                head("101, which HTTP/2 has not", "an interim answer", ":status", "101"),
                reset("a head above the limit", PROTOCOL, "", (peer, stream) -> {
                    peer.write(Frames.HEADERS, Frames.END_STREAM, stream, Frames.OK);
                    for (int i = 1; i <= 4; i++) {
                        peer.write(Frames.CONTINUATION, i == 4 ? Frames.END_HEADERS : 0, stream, fields(120, 110));
                    }
                }),
                reset("more fields than the limit", PROTOCOL, "more than 200 fields", (peer, stream) -> {
                    peer.write(Frames.HEADERS, Frames.END_STREAM, stream, Frames.OK);
                    peer.write(Frames.CONTINUATION, Frames.END_HEADERS, stream, fields(201, 1));
                }),
                reset("trailers with more fields than the limit", PROTOCOL, "more than 200 fields", (peer, stream) -> {
                    peer.write(Frames.HEADERS, Frames.END_HEADERS, stream, Frames.OK);
                    peer.write(Frames.HEADERS, LAST, stream, fields(201, 1));
                }),
                reset("a second head", PROTOCOL, "", (peer, stream) -> {
                    peer.write(Frames.HEADERS, Frames.END_HEADERS, stream, Frames.OK);
                    peer.write(Frames.HEADERS, Frames.END_HEADERS, stream, Frames.OK);
                }),
                reset("trailers that do not end the stream", PROTOCOL, "", (peer, stream) -> {
                    peer.write(Frames.HEADERS, Frames.END_HEADERS, stream, Frames.OK);
                    peer.write(Frames.DATA, 0, stream, (byte) 'a');
                    peer.write(Frames.HEADERS, Frames.END_HEADERS, stream, Frames.fields("x-sum", "1"));
                }),
                reset("trailers with a :status", PROTOCOL, "", (peer, stream) -> {
                    peer.write(Frames.HEADERS, Frames.END_HEADERS, stream, Frames.OK);
                    peer.write(Frames.DATA, 0, stream, (byte) 'a');
                    peer.write(Frames.HEADERS, LAST, stream, Frames.OK);
                }),
                reset("an interim answer after the head", PROTOCOL, "", (peer, stream) -> {
                    peer.write(Frames.HEADERS, Frames.END_HEADERS, stream, Frames.OK);
                    peer.write(Frames.HEADERS, LAST, stream, Frames.fields(":status", "103"));
                }));
    }

    private static Case head(String name, String told, String... fields) {
        return reset(
                "a head with " + name,
                PROTOCOL,
                told,
                (peer, stream) -> peer.write(Frames.HEADERS, LAST, stream, Frames.fields(fields)));
    }

    // -- bodies (§8.1.1)

    private static Stream<Case> bodies() {
        return Stream.of(
                reset(
                        "a body before its head",
                        PROTOCOL,
                        "",
                        (peer, stream) -> peer.write(Frames.DATA, Frames.END_STREAM, stream, (byte) 'a')),
                reset("a body between an interim answer and the head", PROTOCOL, "", (peer, stream) -> {
                    peer.write(Frames.HEADERS, Frames.END_HEADERS, stream, Frames.fields(":status", "103"));
                    peer.write(Frames.DATA, 0, stream, (byte) 'a');
                }),
                reset("a body shorter than its length", PROTOCOL, "", (peer, stream) -> {
                    peer.write(
                            Frames.HEADERS,
                            Frames.END_HEADERS,
                            stream,
                            Frames.fields(":status", "200", "content-length", "2"));
                    peer.write(Frames.DATA, Frames.END_STREAM, stream, (byte) 'a');
                }),
                reset("a body longer than its length", PROTOCOL, "", (peer, stream) -> {
                    peer.write(
                            Frames.HEADERS,
                            Frames.END_HEADERS,
                            stream,
                            Frames.fields(":status", "200", "content-length", "2"));
                    peer.write(Frames.DATA, 0, stream, bytes('a', 'b', 'c'));
                }),
                reset(
                        "a length and no body",
                        PROTOCOL,
                        "without the body that its content-length announces",
                        (peer, stream) -> peer.write(
                                Frames.HEADERS, LAST, stream, Frames.fields(":status", "200", "content-length", "2"))),
                reset("trailers before the body's length is reached", PROTOCOL, "", (peer, stream) -> {
                    peer.write(
                            Frames.HEADERS,
                            Frames.END_HEADERS,
                            stream,
                            Frames.fields(":status", "200", "content-length", "2"));
                    peer.write(Frames.DATA, 0, stream, (byte) 'a');
                    peer.write(Frames.HEADERS, LAST, stream, Frames.fields("x-sum", "1"));
                }),
                withBody("an answer to HEAD", "HEAD", "200"),
                withBody("204", "GET", "204"),
                withBody("304", "GET", "304"));
    }

    private static Case withBody(String what, String method, String status) {
        return new Case(
                what + " with a body",
                GET.replace("GET", method),
                (peer, stream) -> {
                    peer.write(Frames.HEADERS, Frames.END_HEADERS, stream, Frames.fields(":status", status));
                    peer.write(Frames.DATA, Frames.END_STREAM, stream, (byte) 'a');
                },
                new Follows.StreamError(PROTOCOL, "body"));
    }

    // -- too much of it

    private static Stream<Case> floods() {
        return Stream.of(
                broken("a head in many small pieces", CALM, "", (peer, stream) -> {
                    peer.write(Frames.HEADERS, 0, stream, Frames.OK);
                    for (int i = 0; i < 20; i++) {
                        peer.write(Frames.CONTINUATION, 0, stream);
                    }
                }),
                broken("a head without end", PROTOCOL, "", (peer, stream) -> {
                    peer.write(Frames.HEADERS, 0, stream, Frames.OK);
                    for (int i = 0; i < 6; i++) {
                        peer.write(Frames.CONTINUATION, 0, stream, fields(120, 110));
                    }
                }),
                broken("empty frames of a body", CALM, "", (peer, stream) -> {
                    peer.write(Frames.HEADERS, Frames.END_HEADERS, stream, Frames.OK);
                    for (int i = 0; i < 10; i++) {
                        peer.write(Frames.DATA, 0, stream);
                    }
                }),
                reset("interim answers without end", PROTOCOL, "more than 32 interim answers", (peer, stream) -> {
                    for (int i = 0; i < 100; i++) {
                        peer.write(Frames.HEADERS, Frames.END_HEADERS, stream, Frames.fields(":status", "103"));
                    }
                }));
    }

    // -- what is no mistake, or one that a client reads over (§4.1, §5.1, §5.5, §6.5.3)

    private static Stream<Case> harmless() {
        return Stream.of(
                fine("a frame of a type that nobody knows", (peer, stream) -> peer.write(0xbe, 0xff, stream, (byte) 1)),
                fine("ALTSVC", (peer, _) -> peer.write(0x0a, 0, 0, bytes(0, 1, 'a', 'b'))),
                fine("ORIGIN", (peer, _) -> peer.write(0x0c, 0, 0, bytes(0, 1, 'a'))),
                fine("a setting that nobody knows", (peer, _) -> peer.settings(0xbeef, 1)),
                fine("PING, which is answered", (peer, _) -> {
                    peer.write(Frames.PING, 0, 0, bytes(1, 2, 3, 4, 5, 6, 7, 8));
                    assertThat(peer.next(Frames.PING).payload()).isEqualTo(bytes(1, 2, 3, 4, 5, 6, 7, 8));
                }),
                fine("an answer to no PING", (peer, _) -> peer.write(Frames.PING, Frames.ACK, 0, new byte[8])),
                fine("acknowledgements of no SETTINGS", (peer, _) -> {
                    for (int i = 0; i < 3; i++) {
                        peer.write(Frames.SETTINGS, Frames.ACK, 0);
                    }
                }),
                fine("a priority", (peer, stream) -> peer.write(Frames.PRIORITY, 0, stream, bytes(0, 0, 0, 0, 9))),
                fine(
                        "a priority of a stream that has not begun",
                        (peer, stream) -> peer.write(Frames.PRIORITY, 0, stream + 100, bytes(0, 0, 0, 0, 9))),
                fine("a reserved bit", (peer, stream) -> {
                    peer.write(Frames.WINDOW_UPDATE, 0, stream | Integer.MIN_VALUE, number(1));
                }),
                fine("interim answers", (peer, stream) -> {
                    for (int i = 0; i < 3; i++) {
                        peer.write(Frames.HEADERS, Frames.END_HEADERS, stream, Frames.fields(":status", "103"));
                    }
                }),
                fine("a table of 4 GiB for what it is sent", (peer, _) -> peer.settings(1, -1)));
    }

    // -- rows

    private static final String GET = "GET / HTTP/1.1\r\nHost: shop\r\n";

    private static Case broken(String name, int code, String told, Deed deed) {
        return new Case(name, GET, deed, new Follows.ConnectionError(code, told));
    }

    private static Case reset(String name, int code, String told, Deed deed) {
        return new Case(name, GET, deed, new Follows.StreamError(code, told));
    }

    private static Case fine(String name, Deed deed) {
        return new Case(name, GET, deed, new Follows.Nothing());
    }

    private static byte[] number(int n) {
        return new byte[] {(byte) (n >>> 24), (byte) (n >>> 16), (byte) (n >>> 8), (byte) n};
    }

    private static byte[] bytes(int... values) {
        var bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    private static byte[] goAway(int last) {
        return Arrays.copyOf(number(last), 8);
    }

    private static byte[] promise(int stream) {
        var promise = new ByteArrayOutputStream();
        promise.writeBytes(number(stream));
        promise.writeBytes(Frames.request("GET", "shop"));
        return promise.toByteArray();
    }

    private static byte[] fields(int count, int length) {
        return Frames.fields(IntStream.range(0, count)
                .boxed()
                .flatMap(i -> Stream.of("x-" + i, "v".repeat(length)))
                .toArray(String[]::new));
    }

    private static ServerSocket open() {
        try {
            return new ServerSocket(0, 8, Rig.anyPort().getAddress());
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    private CompletableFuture<String> call(String request) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return Rig.call(front, request + "Connection: close\r\n\r\n");
                    } catch (IOException broken) {
                        throw new UncheckedIOException(broken);
                    }
                },
                Thread::startVirtualThread);
    }
}
