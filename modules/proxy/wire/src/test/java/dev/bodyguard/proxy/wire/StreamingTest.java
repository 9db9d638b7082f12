package dev.bodyguard.proxy.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
@SuppressWarnings("StringConcatToTextBlock") // line ends are part of what is sent
class StreamingTest {
    private static final long BODY = 64L << 20;

    private final Rig rig = new Rig();

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    void holdsLittleOfALargeBodyWhoseReaderIsSlow() throws Exception {
        var app = rig.outbound(Rig.echo());
        var inbound = rig.inbound(rig.relay(rig.plain(app)));
        var front = rig.outbound(rig.relay(rig.mtls(inbound, "payments")));
        long most = 0;

        try (var socket = Rig.socket(front)) {
            var writer = CompletableFuture.runAsync(() -> {
                try {
                    var out = socket.getOutputStream();
                    out.write(("POST / HTTP/1.1\r\nHost: payments\r\nConnection: close\r\nContent-Length: " + BODY
                                    + "\r\n\r\n")
                            .getBytes(StandardCharsets.ISO_8859_1));
                    var block = new byte[64 << 10];
                    for (long sent = 0; sent < BODY; sent += block.length) {
                        out.write(block);
                    }
                } catch (IOException broken) {
                    throw new java.io.UncheckedIOException(broken);
                }
            });
            var in = socket.getInputStream();
            assertThat(Rig.readUntil(in, "\r\n\r\n")).startsWith("HTTP/1.1 200");
            var block = new byte[256 << 10];
            long got = 0;
            for (int n = in.read(block); n >= 0; n = in.read(block)) {
                got += n;
                most = Math.max(most, rig.loops.usedDirectMemory());
            }
            writer.join();
            // Chunked: a little more than the body itself.
            assertThat(got).isBetween(BODY, BODY + (BODY >> 4));
        }

        assertThat(most).isLessThan(16 << 20);
    }

    @Test
    void tellsTheUpstreamWhenAnHttp1ClientGoesAway() throws Exception {
        var cancelled = new CompletableFuture<Reset>();
        var begun = new CompletableFuture<String>();
        var app = rig.outbound(exchange -> {
            begun.complete(exchange.request().path());
            return new Hanging(cancelled);
        });
        var inbound = rig.inbound(rig.relay(rig.plain(app)));
        var front = rig.outbound(rig.relay(rig.mtls(inbound, "payments")));

        try (var socket = Rig.socket(front)) {
            socket.getOutputStream()
                    .write("GET /slow HTTP/1.1\r\nHost: payments\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
            assertThat(begun.get()).isEqualTo("/slow");
        }

        assertThat(cancelled.get()).isEqualTo(Reset.CANCELLED);
    }

    @Test
    void routesHttpInsideOfAConnect() throws Exception {
        var front = rig.outbound(Rig.echo());

        try (var socket = Rig.socket(front)) {
            var in = socket.getInputStream();
            var out = socket.getOutputStream();
            out.write("CONNECT shop:443 HTTP/1.1\r\nHost: shop:443\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
            assertThat(Rig.readUntil(in, "\r\n\r\n")).startsWith("HTTP/1.1 200 ");
            out.write("GET /in HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n"
                    .getBytes(StandardCharsets.ISO_8859_1));
            assertThat(new String(in.readAllBytes(), StandardCharsets.ISO_8859_1))
                    .contains("x-path: /in", "hello shop");
        }
    }

    /// As servers of gRPC do; the client decides what this is.
    @Test
    void doesNotTakeSettingsThatAServerSendsUnaskedForItsWord() throws Exception {
        byte[] settings = {0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0};
        try (var server = new ServerSocket(0, 1, Rig.anyPort().getAddress())) {
            var front = rig.outbound(Rig.echo(), tunnel -> {
                tunnel.dial(
                        Rig.plain(new InetSocketAddress(server.getInetAddress(), server.getLocalPort())), rig.checkout);
                return new TunnelListener() {
                    @Override
                    public void onHttp() {
                        rig.heard.add("spoken: http");
                    }

                    @Override
                    public void onOpaque() {
                        rig.heard.add("spoken: bytes");
                    }
                };
            });
            for (var said : new String[] {"GET / HTTP/1.1\r\nHost: pay\r\n\r\n", "\0hello"}) {
                try (var socket = Rig.socket(front)) {
                    socket.getOutputStream()
                            .write("CONNECT pay:50051 HTTP/1.1\r\nHost: pay:50051\r\n\r\n"
                                    .getBytes(StandardCharsets.ISO_8859_1));
                    assertThat(Rig.readUntil(socket.getInputStream(), "\r\n\r\n"))
                            .startsWith("HTTP/1.1 200 ");
                    try (var accepted = server.accept()) {
                        accepted.getOutputStream().write(settings);
                        socket.getOutputStream().write(said.getBytes(StandardCharsets.ISO_8859_1));
                        if (said.startsWith("GET")) {
                            assertThat(Rig.readUntil(socket.getInputStream(), "\r\n\r\n"))
                                    .startsWith("HTTP/1.1 200 ");
                            assertThat(rig.hears("spoken")).isEqualTo("spoken: http");
                            assertThat(isDropped(accepted))
                                    .as("dropped without a byte")
                                    .isTrue();
                        } else {
                            assertThat(socket.getInputStream().readNBytes(settings.length))
                                    .isEqualTo(settings);
                            assertThat(rig.hears("spoken")).isEqualTo("spoken: bytes");
                            assertThat(accepted.getInputStream().readNBytes(6)).hasSize(6);
                        }
                    }
                }
            }
        }
    }

    private static boolean isDropped(Socket socket) {
        try {
            return socket.getInputStream().read() < 0;
        } catch (IOException _) {
            // What it had said was not read.
            return true;
        }
    }

    @Test
    void tunnelsAServerThatSpeaksFirst() throws Exception {
        try (var server = new ServerSocket(0, 1, Rig.anyPort().getAddress())) {
            var front = rig.outbound(Rig.echo(), tunnel -> {
                tunnel.dial(
                        Rig.plain(new InetSocketAddress(server.getInetAddress(), server.getLocalPort())), rig.checkout);
                return new TunnelListener() {
                    @Override
                    public void onClosed(long sent, long received) {
                        rig.heard.add("closed " + sent + " " + received);
                    }
                };
            });

            try (var socket = Rig.socket(front)) {
                socket.getOutputStream()
                        .write("CONNECT mail:25 HTTP/1.1\r\nHost: mail:25\r\n\r\n"
                                .getBytes(StandardCharsets.ISO_8859_1));
                try (var accepted = server.accept()) {
                    assertThat(Rig.readUntil(socket.getInputStream(), "\r\n\r\n"))
                            .startsWith("HTTP/1.1 200 ");
                    accepted.getOutputStream().write("220 hello\r\n".getBytes(StandardCharsets.ISO_8859_1));
                    assertThat(Rig.readUntil(socket.getInputStream(), "\r\n")).isEqualTo("220 hello\r\n");
                    socket.getOutputStream().write("QUIT\r\n".getBytes(StandardCharsets.ISO_8859_1));
                    socket.shutdownOutput();
                    assertThat(accepted.getInputStream().readAllBytes()).hasSize(6);
                    accepted.getOutputStream().write("221 bye\r\n".getBytes(StandardCharsets.ISO_8859_1));
                    accepted.shutdownOutput();
                    assertThat(socket.getInputStream().readAllBytes()).hasSize(9);
                }
            }
            assertThat(rig.hears("closed")).isEqualTo("closed 6 20");
        }
    }

    @Test
    void carriesHttp2WithPriorKnowledge() throws Exception {
        var app = rig.outbound(Rig.echo());
        var middle = rig.outbound(rig.relay(rig.h2c(app)));
        var front = rig.outbound(rig.relay(rig.h2c(middle)));

        var answer = Rig.call(
                front,
                "POST / HTTP/1.1\r\nHost: a\r\nCookie: x=1\r\nContent-Length: 3\r\n\r\nabc"
                        + "GET /n HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

        assertThat(answer).contains("x-version: HTTP/2", "x-got-cookie: x=1", "abc", "x-path: /n", "hello a");
    }

    private record Hanging(CompletableFuture<Reset> cancelled) implements RequestListener {
        @Override
        public void onData(ByteBuf chunk, boolean last) {
            chunk.release();
        }

        @Override
        public void onTrailers(Fields trailers) {}

        @Override
        public void onReset(Reset reason) {
            cancelled.complete(reason);
        }

        @Override
        public void onWritable() {}
    }
}
