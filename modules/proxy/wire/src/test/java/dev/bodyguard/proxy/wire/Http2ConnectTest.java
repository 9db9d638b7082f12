package dev.bodyguard.proxy.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// CONNECT by HTTP/2 (RFC 9113 §8.5): each stream is a connection of its own, in which whoever speaks first decides.
@Timeout(60)
class Http2ConnectTest {
    private static final int LAST = Frames.END_HEADERS | Frames.END_STREAM;
    private static final int PROTOCOL_ERROR = 1;
    private static final int CANCEL = 8;

    private final Rig rig = new Rig();
    private final ServerSocket server = open();
    private final LinkedBlockingQueue<String> tunnels = new LinkedBlockingQueue<>();

    @AfterEach
    void close() throws IOException, InterruptedException {
        rig.close();
        server.close();
        rig.leaksNothing();
    }

    @Test
    void carriesBytesAndEachEnd() throws Exception {
        serve((in, out) -> {
            var asked = in.readAllBytes();
            out.write(("got " + asked.length).getBytes(StandardCharsets.US_ASCII));
        });
        try (var client = client()) {
            connect(client, 1);
            client.write(Frames.DATA, 0, 1, (byte) 0, (byte) 1);
            client.write(Frames.DATA, Frames.END_STREAM, 1, (byte) 2);

            assertThat(readToEnd(client, 1)).asString(StandardCharsets.US_ASCII).isEqualTo("got 3");
        }
        assertThat(tunnels.poll(30, TimeUnit.SECONDS)).isEqualTo("closed 3 5");
    }

    @Test
    void hearsAServerThatSpeaksFirst() throws Exception {
        serve((in, out) -> {
            out.write("220 hello".getBytes(StandardCharsets.US_ASCII));
            in.readAllBytes();
        });
        try (var client = client()) {
            connect(client, 1);

            assertThat(client.next(Frames.DATA).payload())
                    .asString(StandardCharsets.US_ASCII)
                    .isEqualTo("220 hello");
        }
    }

    @Test
    void keepsTunnelsOfOneConnectionApart() throws Exception {
        serve((in, out) -> in.transferTo(out));
        try (var client = client()) {
            for (int stream = 1; stream <= 19; stream += 2) {
                connect(client, stream);
            }
            for (int stream = 1; stream <= 19; stream += 2) {
                client.write(Frames.DATA, 0, stream, (byte) 0, (byte) stream);
            }
            for (int i = 0; i < 10; i++) {
                var frame = client.next(Frames.DATA);
                assertThat(frame.payload()).containsExactly(0, frame.stream());
            }
        }
    }

    /// More than both windows, each way, and the server reads before it writes nothing of it.
    @Test
    void holdsBackWhoeverIsFaster() throws Exception {
        var sent = new byte[3 << 20];
        new Random(7).nextBytes(sent);
        sent[0] = 0;
        var slowly = new CompletableFuture<byte[]>();
        serve((in, out) -> {
            slowly.complete(in.readAllBytes());
            out.write(sent);
        });
        try (var client = client()) {
            connect(client, 1);
            int credit = Limits.DEFAULTS.streamWindow();
            for (int at = 0; at < sent.length; ) {
                int next = Math.min(16_384, sent.length - at);
                while (credit < next) {
                    credit += credit(client);
                }
                client.write(Frames.DATA, 0, 1, Arrays.copyOfRange(sent, at, at + next));
                credit -= next;
                at += next;
            }
            client.write(Frames.DATA, Frames.END_STREAM, 1);
            assertThat(slowly.get(30, TimeUnit.SECONDS)).isEqualTo(sent);

            assertThat(readToEnd(client, 1)).isEqualTo(sent);
        }
    }

    /// The connection's window is larger than what this test sends before the stream's is credited.
    private static int credit(Frames client) {
        for (var frame = client.next(Frames.WINDOW_UPDATE); ; frame = client.next(Frames.WINDOW_UPDATE)) {
            if (frame.stream() == 1) {
                return frame.number(0);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET / HTTP/1.1\r\nHost: shop:80\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"})
    void readsHttpInsideAsRequests(String beginning) throws Exception {
        try (var client = client()) {
            connect(client, 1);
            var inside = new ByteArrayOutputStream();
            inside.writeBytes(beginning.getBytes(StandardCharsets.US_ASCII));
            if (beginning.startsWith("PRI")) {
                inside.writeBytes(Frames.frame(Frames.SETTINGS, 0, 0));
                inside.writeBytes(Frames.frame(Frames.HEADERS, LAST, 1, Frames.request("GET", "shop:80")));
            }
            client.write(Frames.DATA, 0, 1, inside.toByteArray());

            var answer = new StringBuilder();
            while (!answer.toString().contains("hello shop:80")) {
                answer.append(new String(client.next(Frames.DATA).payload(), StandardCharsets.US_ASCII));
            }
        }
        assertThat(tunnels.poll(30, TimeUnit.SECONDS)).isEqualTo("http");
    }

    @Test
    void endsTheStreamWhereTheHttpInsideEndsItsConnection() throws Exception {
        try (var client = client()) {
            connect(client, 1);
            client.write(
                    Frames.DATA,
                    0,
                    1,
                    "GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n".getBytes(StandardCharsets.US_ASCII));

            assertThat(readToEnd(client, 1)).asString(StandardCharsets.US_ASCII).endsWith("hello shop\r\n0\r\n\r\n");
            var reset = client.next(Frames.RESET);
            assertThat(reset.stream()).isEqualTo(1);
            assertThat(reset.number(0)).isZero();
        }
    }

    @Test
    void grantsNoTunnelWithinATunnel() throws Exception {
        try (var client = client()) {
            connect(client, 1);
            client.write(
                    Frames.DATA, 0, 1, "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));

            assertThat(readToEnd(client, 1)).asString(StandardCharsets.US_ASCII).startsWith("HTTP/1.1 501");
        }
    }

    @Test
    void endsTheTunnelWhereItLeadsNowhere() throws Exception {
        int closed = server.getLocalPort();
        server.close();
        try (var client = client(closed)) {
            connect(client, 1);
            client.write(Frames.DATA, 0, 1, (byte) 0);

            assertThat(readToEnd(client, 1)).isEmpty();
            assertThat(client.next(Frames.RESET).stream()).isEqualTo(1);

            connect(client, 3);
        }
    }

    @Test
    void closesTheServersConnectionWhereTheStreamIsReset() throws Exception {
        var ended = new CompletableFuture<Integer>();
        serve((in, out) -> {
            out.write(1);
            in.readNBytes(1);
            ended.complete(in.read());
        });
        try (var client = client()) {
            connect(client, 1);
            client.next(Frames.DATA);
            client.write(Frames.DATA, 0, 1, (byte) 0);
            client.write(Frames.RESET, 0, 1, new byte[] {0, 0, 0, CANCEL});

            assertThat(ended.get(30, TimeUnit.SECONDS)).isEqualTo(-1);
            connect(client, 3);
        }
    }

    @Test
    void closesTheServersConnectionsWithTheClients() throws Exception {
        var ended = new CompletableFuture<Integer>();
        serve((in, out) -> {
            out.write(1);
            ended.complete(in.read());
        });
        try (var client = client()) {
            connect(client, 1);
            client.next(Frames.DATA);
        }
        assertThat(ended.get(30, TimeUnit.SECONDS)).isEqualTo(-1);
    }

    @Test
    void doesNotHoldUpADrainByATunnelThatIsIdle() throws Exception {
        var front = front(server.getLocalPort());
        try (var client = Frames.client(Rig.socket(front))) {
            connect(client, 1);
            client.write(Frames.DATA, 0, 1, "GET / HTTP/1.1\r\nHost: shop\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            client.next(Frames.DATA);

            var drained = front.drain(Duration.ofSeconds(20)).toCompletableFuture();

            assertThat(client.next(Frames.GOAWAY).number(0)).isEqualTo(Integer.MAX_VALUE);
            for (var frame = client.read(); frame != null; frame = client.read()) {
                if (frame.type() == Frames.PING && !frame.has(Frames.ACK)) {
                    client.write(Frames.PING, Frames.ACK, 0, frame.payload());
                }
            }
            assertThat(drained.get(30, TimeUnit.SECONDS)).isZero();
        }
    }

    // -- what is not granted

    @Test
    void refusesWhatIsNoHostAndPort() throws Exception {
        var wrong = new String[][] {
            {":method", "CONNECT"},
            {":method", "CONNECT", ":authority", "shop"},
            {":method", "CONNECT", ":authority", "shop:0"},
            {":method", "CONNECT", ":authority", "shop:65536"},
            {":method", "CONNECT", ":authority", "a@shop:80"},
            {":method", "CONNECT", ":authority", "shop:80", ":path", "/"},
            {":method", "CONNECT", ":authority", "shop:80", ":scheme", "http"},
            {":method", "CONNECT", ":authority", "shop:80", "host", "other:80"},
        };
        try (var client = client()) {
            int stream = 1;
            for (var fields : wrong) {
                client.write(Frames.HEADERS, Frames.END_HEADERS, stream, Frames.fields(fields));

                var reset = client.next(Frames.RESET);
                assertThat(reset.stream()).as(Arrays.toString(fields)).isEqualTo(stream);
                assertThat(reset.number(0)).isEqualTo(PROTOCOL_ERROR);
                assertThat(rig.hears("unread: HTTP/2 'CONNECT ")).contains("' 0 ");
                stream += 2;
            }
            client.write(Frames.HEADERS, LAST, stream, Frames.fields(":method", "CONNECT", ":authority", "shop:80"));
            assertThat(client.next(Frames.RESET).stream()).isEqualTo(stream);
            assertThat(rig.hears("unread: ")).endsWith("a CONNECT that ends with its head");

            connect(client, stream + 2);
        }
        // The only one that was opened.
        assertThat(tunnels.poll(30, TimeUnit.SECONDS)).isEqualTo("closed 0 0");
        assertThat(tunnels).isEmpty();
    }

    @Test
    void breaksATunnelInWhichAnythingButDataComes() throws Exception {
        try (var client = client()) {
            connect(client, 1);
            client.write(Frames.HEADERS, LAST, 1, Frames.fields("x-late", "1"));

            var reset = client.next(Frames.RESET);
            assertThat(reset.stream()).isOne();
            assertThat(reset.number(0)).isEqualTo(PROTOCOL_ERROR);
            connect(client, 3);
        }
    }

    @Test
    void refusesItWhereNoTunnelIsGranted() throws Exception {
        var inbound = Listener.bind(
                Rig.anyPort(),
                Listener.shared(rig.loops, Limits.DEFAULTS, Rig.echo(), null, rig),
                front -> new Sniffer(front, null),
                false);
        rig.listeners.add(inbound);
        try (var client = Frames.client(Rig.socket(inbound))) {
            client.write(
                    Frames.HEADERS,
                    Frames.END_HEADERS,
                    1,
                    Frames.fields(":method", "CONNECT", ":authority", "shop:80"));

            var head = client.next(Frames.HEADERS);
            assertThat(new String(head.payload(), StandardCharsets.ISO_8859_1)).contains("501");
            assertThat(head.has(Frames.END_STREAM)).isTrue();
        }
    }

    // -- what goes on

    /// One connection's talk on the server's side.
    private interface Talk {
        void with(InputStream in, OutputStream out) throws IOException;
    }

    private void serve(Talk talk) {
        Thread.startVirtualThread(() -> {
            while (true) {
                try {
                    var socket = server.accept();
                    Thread.startVirtualThread(() -> talk(talk, socket));
                } catch (IOException _) {
                    return;
                }
            }
        });
    }

    private static void talk(Talk talk, Socket socket) {
        try (socket) {
            talk.with(socket.getInputStream(), socket.getOutputStream());
        } catch (IOException _) {
            // The other side has gone.
        }
    }

    private Listener front(int port) throws IOException {
        var target = Rig.plain(new InetSocketAddress(server.getInetAddress(), port));
        return rig.outbound(Rig.echo(), tunnel -> {
            if (!tunnel.destination().equals("shop:80")) {
                throw new IllegalArgumentException(tunnel.destination());
            }
            tunnel.dial(target, rig.checkout);
            return new TunnelListener() {
                @Override
                public void onHttp() {
                    tunnels.add("http");
                }

                @Override
                public void onDialFailed(Failure failure) {
                    tunnel.close();
                }

                @Override
                public void onClosed(long sent, long received) {
                    tunnels.add("closed " + sent + " " + received);
                }
            };
        });
    }

    private Frames client() throws IOException {
        return client(server.getLocalPort());
    }

    private Frames client(int port) throws IOException {
        return Frames.client(Rig.socket(front(port)));
    }

    private static void connect(Frames client, int stream) throws IOException {
        client.write(
                Frames.HEADERS,
                Frames.END_HEADERS,
                stream,
                Frames.fields(":method", "CONNECT", ":authority", "shop:80"));
        var head = client.next(Frames.HEADERS);
        assertThat(head.stream()).isEqualTo(stream);
        assertThat(head.payload()).startsWith(Frames.OK);
        assertThat(head.has(Frames.END_STREAM)).isFalse();
    }

    /// Whatever comes on the stream until it ends; credit is given as it comes.
    private static byte[] readToEnd(Frames client, int stream) throws IOException {
        var all = new ByteArrayOutputStream();
        while (true) {
            var frame = client.next(Frames.DATA);
            assertThat(frame.stream()).isEqualTo(stream);
            all.writeBytes(frame.payload());
            if (frame.has(Frames.END_STREAM)) {
                return all.toByteArray();
            }
            int n = frame.payload().length;
            if (n > 0) {
                var credit = new byte[] {(byte) (n >>> 24), (byte) (n >>> 16), (byte) (n >>> 8), (byte) n};
                client.write(Frames.WINDOW_UPDATE, 0, stream, credit);
                client.write(Frames.WINDOW_UPDATE, 0, 0, credit);
            }
        }
    }

    private static ServerSocket open() {
        try {
            return new ServerSocket(0, 64, Rig.anyPort().getAddress());
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }
}
