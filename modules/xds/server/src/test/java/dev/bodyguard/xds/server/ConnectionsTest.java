package dev.bodyguard.xds.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.xds.snapshot.Limits;
import dev.bodyguard.xds.snapshot.Snapshot;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a peer can do with connections alone, before anybody knows who it is.
@Timeout(60)
class ConnectionsTest {
    // RFC 9113 §6, §7 and §3.4.
    private static final int HEADERS = 1;
    private static final int END_HEADERS = 4;
    private static final int SETTINGS = 4;
    private static final int PING = 6;
    private static final int GOAWAY = 7;
    private static final int NO_ERROR = 0;
    private static final int PROTOCOL_ERROR = 1;
    private static final int ENHANCE_YOUR_CALM = 11;
    private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    private final LinkedBlockingQueue<String> told = new LinkedBlockingQueue<>();

    @Test
    void oneTooManyOfAHostIsClosedAndToldOnceUntilAnotherEnds() throws Exception {
        try (var server = serving(new Connections(10, 2), Duration.ofMinutes(1));
                var first = new Frames(server.port())) {
            first.next(SETTINGS);
            try (var second = new Frames(server.port())) {
                second.next(SETTINGS);
                for (int i = 0; i < 3; i++) {
                    try (var third = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
                        assertThat(isClosed(third)).isTrue();
                    }
                }
            }

            assertThat(told)
                    .containsExactly("closed a connection from 127.0.0.1 as soon as it was accepted: that host has 2"
                            + " already, the most that one may have; 1 closed so since the start");
            Await.until("there is room again", () -> serves(server.port()));
        }
    }

    @Test
    void oneTooManyOfAllIsClosed() throws Exception {
        try (var server = serving(new Connections(1, 10), Duration.ofMinutes(1));
                var first = new Frames(server.port())) {
            first.next(SETTINGS);

            try (var second = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
                assertThat(isClosed(second)).isTrue();
            }
            assertThat(told).singleElement().asString().contains("there are 1 already, the most that are held at once");
        }
    }

    @Test
    void whoAsksAllTheTimeWhetherWeAreAliveIsSentAway() throws Exception {
        try (var server = serving(Connections.ordinary(), Duration.ofMinutes(1));
                var pest = new Frames(server.port())) {
            for (int i = 0; i < 10; i++) {
                pest.send(PING, new byte[8]);
            }

            assertThat(pest.next(GOAWAY)).isEqualTo(ENHANCE_YOUR_CALM);
        }
    }

    @Test
    void aConnectionWithoutACallIsClosed() throws Exception {
        try (var server = serving(Connections.ordinary(), Duration.ofMillis(200));
                var idle = new Frames(server.port())) {
            assertThat(idle.next(GOAWAY)).isEqualTo(NO_ERROR);
        }
    }

    @Test
    void headersWithoutAnEndAreRefused() throws Exception {
        try (var server = serving(Connections.ordinary(), Duration.ofMinutes(1));
                var hostile = new Frames(server.port())) {
            // RFC 7541 §6.2.2: a literal without indexing, of name x and 16,000 times y.
            var block = ByteBuffer.allocate(16_006);
            block.put(new byte[] {0, 1, 'x', 0x7f, (byte) 0x81, 0x7c});
            Arrays.fill(block.array(), 6, block.capacity(), (byte) 'y');
            hostile.send(HEADERS, END_HEADERS, 1, block.array());

            assertThat(hostile.next(GOAWAY)).isEqualTo(PROTOCOL_ERROR);
        }
    }

    private NettyGrpcServer serving(Connections most, Duration idle) throws IOException {
        var discovery = new AggregatedDiscovery(
                (_, _) -> new Views.Serve(Snapshot.empty()), Events.none(), Limits.ordinary(), Capacity.ordinary());
        return NettyGrpcServer.start(most, idle, told::add, "127.0.0.1", 0, null, List.of(discovery));
    }

    private static boolean serves(int port) {
        try (var peer = new Frames(port)) {
            peer.next(SETTINGS);
            return true;
        } catch (IOException closed) {
            return false;
        }
    }

    private static boolean isClosed(Socket socket) throws IOException {
        try {
            return socket.getInputStream().read() < 0;
        } catch (SocketException reset) {
            return true;
        }
    }

    /// The other end of an HTTP/2 connection, frame by frame.
    private static final class Frames implements AutoCloseable {
        private final Socket socket;
        private final DataInputStream in;

        Frames(int port) throws IOException {
            socket = new Socket(InetAddress.getLoopbackAddress(), port);
            in = new DataInputStream(socket.getInputStream());
            socket.getOutputStream().write(PREFACE);
            send(SETTINGS, new byte[0]);
        }

        void send(int type, byte[] body) throws IOException {
            send(type, 0, 0, body);
        }

        void send(int type, int flags, int stream, byte[] body) throws IOException {
            var frame = ByteBuffer.allocate(9 + body.length);
            frame.putInt(body.length << 8 | type)
                    .put((byte) flags)
                    .putInt(stream)
                    .put(body);
            try {
                socket.getOutputStream().write(frame.array());
            } catch (SocketException sentAway) {
                // What it was told before is still to be read.
            }
        }

        /// Reads on to the next frame of a type.
        ///
        /// @return its error code, where it is a GOAWAY
        int next(int wanted) throws IOException {
            while (true) {
                int lengthAndType = in.readInt();
                in.skipNBytes(5);
                var body = in.readNBytes(lengthAndType >>> 8);
                if ((lengthAndType & 0xff) == wanted) {
                    return wanted == GOAWAY ? ByteBuffer.wrap(body).getInt(4) : NO_ERROR;
                }
            }
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
