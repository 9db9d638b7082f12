package dev.bodyguard.proxy.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Bytes that are no HTTP, between two proxies over mutual TLS.
class BytesTest {
    /// What is lost is not lost every time.
    private static final int OFTEN = 10;

    private final BlockingQueue<String> inner = new LinkedBlockingQueue<>();

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void flowBothWaysOverMutualTlsWithHalfCloses(boolean natives) throws Exception {
        try (var rig = natives ? new Rig() : Rig.withoutNatives();
                var server = new ServerSocket(0, 1, Rig.anyPort().getAddress())) {
            var callee = rig.inbound(Rig.echo(), toApp(rig, server));
            var front = rig.outbound(Rig.echo(), dialling(rig, rig.mtls(callee, "payments")));

            byte[] much = new byte[4 << 20];
            new Random(7).nextBytes(much);

            for (int i = 0; i < OFTEN; i++) {
                try (var socket = connect(front);
                        var accepted = server.accept()) {
                    Thread.ofVirtual().start(() -> write(much, socket));
                    assertThat(accepted.getInputStream().readAllBytes()).isEqualTo(much);

                    Thread.ofVirtual().start(() -> write(much, accepted));
                    assertThat(socket.getInputStream().readAllBytes()).isEqualTo(much);
                }
                assertThat(inner.poll(30, TimeUnit.SECONDS)).contains("peer ", "sa/checkout");
                assertThat(inner.poll(30, TimeUnit.SECONDS)).isEqualTo("closed " + (4 << 20) + " " + (4 << 20));
                assertThat(rig.hears("front closed")).isEqualTo("front closed " + (4 << 20) + " " + (4 << 20));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void goToAnotherServerWhereOneIsNotThereOrNotWhoItShouldBe(boolean natives) throws Exception {
        try (var rig = natives ? new Rig() : Rig.withoutNatives();
                var server = new ServerSocket(0, 2, Rig.anyPort().getAddress())) {
            var callee = rig.inbound(Rig.echo(), toApp(rig, server));
            InetSocketAddress nobody;
            try (var closed = new ServerSocket(0, 1, Rig.anyPort().getAddress())) {
                nobody = new InetSocketAddress(closed.getInetAddress(), closed.getLocalPort());
            }
            var front = rig.outbound(
                    Rig.echo(),
                    dialling(rig, Rig.plain(nobody), rig.mtls(callee, "someone-else"), rig.mtls(callee, "payments")));

            server.setSoTimeout(20_000);
            try (var socket = connect(front)) {
                socket.getOutputStream().write("\0hello".getBytes(StandardCharsets.US_ASCII));
                var heard = new byte[0];
                // Who was not who it should be may have dialled the server as well, before that was seen.
                while (heard.length == 0) {
                    try (var accepted = server.accept()) {
                        heard = accepted.getInputStream().readNBytes(6);
                    }
                }
                assertThat(heard).asString(StandardCharsets.US_ASCII).isEqualTo("\0hello");
            }
            assertThat(rig.hears("failed")).contains("refused");
            assertThat(rig.hears("failed")).contains("someone-else");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void stopAtAFullReader(boolean natives) throws Exception {
        try (var rig = natives ? new Rig() : Rig.withoutNatives();
                var server = new ServerSocket(0, 1, Rig.anyPort().getAddress())) {
            var callee = rig.inbound(Rig.echo(), toApp(rig, server));
            var front = rig.outbound(Rig.echo(), dialling(rig, rig.mtls(callee, "payments")));

            try (var socket = connect(front);
                    var accepted = server.accept()) {
                long before = rig.loops.usedDirectMemory();
                var much = new byte[64 << 20];
                var writer = Thread.ofVirtual().start(() -> write(much, socket));
                accepted.getInputStream().readNBytes(8 << 20);
                assertThat(rig.loops.usedDirectMemory() - before).isLessThan(8L << 20);
                accepted.getInputStream().transferTo(OutputStream.nullOutputStream());
                writer.join();
            }
        }
    }

    /// One that takes no bytes, while its client has not said yet that it sends a request.
    @Test
    void endOnlyAfterAMomentWhereAServerLeavesWithoutAWord() throws Exception {
        try (var rig = new Rig();
                var server = new ServerSocket(0, 1, Rig.anyPort().getAddress())) {
            var app = new InetSocketAddress(server.getInetAddress(), server.getLocalPort());
            var front = rig.outbound(Rig.echo(), dialling(rig, Rig.plain(app)));

            try (var silent = connect(front)) {
                server.accept().close();
                assertThat(silent.getInputStream().read()).isNegative();
            }
            // On a machine that stands still the moment may be over.
            boolean answered = false;
            for (int i = 0; i < OFTEN && !answered; i++) {
                try (var late = connect(front)) {
                    server.accept().close();
                    Thread.sleep(20);
                    late.getOutputStream()
                            .write("GET / HTTP/1.1\r\nHost: payments\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                    answered = late.getInputStream().read() == 'H';
                } catch (IOException _) {
                    // It was.
                }
            }
            assertThat(answered).isTrue();
        }
    }

    private static Socket connect(Listener front) throws IOException {
        var socket = Rig.socket(front);
        socket.getOutputStream()
                .write("CONNECT ledger:5432 HTTP/1.1\r\nHost: ledger:5432\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        assertThat(Rig.readUntil(socket.getInputStream(), "\r\n\r\n")).startsWith("HTTP/1.1 200 ");
        return socket;
    }

    private static void write(byte[] bytes, Socket socket) {
        try {
            socket.getOutputStream().write(bytes);
            socket.shutdownOutput();
        } catch (IOException _) {
            // The test is over.
        }
    }

    /// Tries one server after the other.
    private static TunnelHandler dialling(Rig rig, Target... servers) {
        return tunnel -> {
            Queue<Target> left = new ArrayDeque<>(List.of(servers));
            tunnel.dial(left.remove(), rig.checkout);
            return new TunnelListener() {
                @Override
                public void onDialFailed(Failure failure) {
                    rig.heard.add("failed " + failure.reason());
                    tunnel.dial(left.remove(), rig.checkout);
                }

                @Override
                public void onClosed(long sent, long received) {
                    rig.heard.add("front closed " + sent + " " + received);
                }
            };
        };
    }

    private TunnelHandler toApp(Rig rig, ServerSocket app) {
        return tunnel -> {
            tunnel.dial(Rig.plain(new InetSocketAddress(app.getInetAddress(), app.getLocalPort())), rig.payments);
            return new TunnelListener() {
                @Override
                public void onOpaque() {
                    inner.add("peer " + tunnel.connection().peerId());
                }

                @Override
                public void onClosed(long sent, long received) {
                    inner.add("closed " + sent + " " + received);
                }
            };
        };
    }
}
