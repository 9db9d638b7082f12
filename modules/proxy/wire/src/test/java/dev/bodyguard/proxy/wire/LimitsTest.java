package dev.bodyguard.proxy.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a client cannot make of us, on limits small enough to be reached.
@Timeout(60)
@SuppressWarnings("StringConcatToTextBlock") // line ends are part of what is sent
class LimitsTest {
    private static final int ACCEPTED = 3;
    private static final int RESETS = 50;
    private static final Duration SOON = Duration.ofMillis(500);
    private static final Limits PATIENT =
            limits(Limits.DEFAULTS.handshake(), Limits.DEFAULTS.head(), Limits.DEFAULTS.idle());
    private static final Limits HURRIED = limits(SOON, SOON, SOON);

    private static Limits limits(Duration handshake, Duration head, Duration idle) {
        return new Limits(
                ACCEPTED, 16 << 10, 64 << 10, 200, 10, RESETS, 256 << 10, 2 << 20, handshake, head, idle, SOON, 256,
                4096, 4096);
    }

    private final Rig rig = new Rig(PATIENT);
    private final Rig hurried = new Rig(HURRIED);

    @AfterEach
    void close() {
        rig.close();
        hurried.close();
    }

    // -- how many

    @Test
    void closesConnectionsBeyondTheLimitAndSaysSo() throws Exception {
        var front = rig.outbound(Rig.echo());
        var standing = new Socket[ACCEPTED];
        for (int i = 0; i < ACCEPTED; i++) {
            standing[i] = Rig.socket(front);
            get(standing[i]);
        }

        try (var further = Rig.socket(front)) {
            assertThat(further.getInputStream().read()).isEqualTo(-1);
        }

        assertThat(rig.hears("overflow")).contains("3 connections already");
        get(standing[0]);
        for (var socket : standing) {
            socket.close();
        }
        rig.until(() -> front.connections() == 0);
        assertThat(Rig.call(front, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 200");
    }

    private static void get(Socket socket) throws IOException {
        socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: a\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
        assertThat(Rig.readUntil(socket.getInputStream(), "0\r\n\r\n")).startsWith("HTTP/1.1 200");
    }

    // -- how long

    @Test
    void closesAnHttp1ConnectionThatIsIdle() throws Exception {
        try (var socket = Rig.socket(hurried.outbound(Rig.echo()))) {
            get(socket);

            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        }
    }

    @Test
    void closesAnHttp2ConnectionThatIsIdle() throws Exception {
        try (var client = Frames.client(Rig.socket(hurried.outbound(Rig.echo())))) {
            assertThat(client.next(Frames.GOAWAY).number(4)).isZero();
            client.readToEnd();
        }
    }

    @Test
    void closesAConnectionThatSaysNothing() throws Exception {
        try (var socket = Rig.socket(hurried.outbound(Rig.echo()))) {
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        }
    }

    @Test
    void answersAHeadThatDoesNotEndInTime() throws Exception {
        try (var socket = Rig.socket(hurried.outbound(Rig.echo()))) {
            socket.getOutputStream().write("GET / HTTP/1.1\r\nHost:".getBytes(StandardCharsets.ISO_8859_1));

            assertThat(Rig.readUntil(socket.getInputStream(), "never")).startsWith("HTTP/1.1 408");
        }
        assertThat(hurried.hears("unread")).isEqualTo("unread: - ' ' 408 the request's head did not end in time");
    }

    @Test
    void answersFirstBytesThatMayYetBecomeEitherProtocolInTime() throws Exception {
        try (var socket = Rig.socket(hurried.outbound(Rig.echo()))) {
            socket.getOutputStream().write("PR".getBytes(StandardCharsets.ISO_8859_1));

            assertThat(Rig.readUntil(socket.getInputStream(), "never")).startsWith("HTTP/1.1 408");
        }
        assertThat(hurried.hears("unread")).contains("408");
    }

    @Test
    void closesAConnectionThatBeginsNoTlsHandshake() throws Exception {
        try (var socket = Rig.socket(hurried.inbound(Rig.echo()))) {
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        }
        assertThat(hurried.hears("handshake")).contains("no TLS handshake was begun in time");
    }

    @Test
    void closesAConnectionThatEndsNoTlsHandshake() throws Exception {
        try (var socket = Rig.socket(hurried.inbound(Rig.echo()))) {
            socket.getOutputStream().write(new byte[] {0x16, 3, 1, 0});

            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        }
        assertThat(hurried.hears("handshake")).contains("500ms");
    }

    @Test
    void saysWhichVersionOfTlsIsTooOld() throws Exception {
        var inbound = rig.inbound(Rig.echo()).address();
        try (var socket = (SSLSocket)
                SSLContext.getDefault().getSocketFactory().createSocket(inbound.getAddress(), inbound.getPort())) {
            socket.setEnabledProtocols(new String[] {"TLSv1.2"});

            assertThatExceptionOfType(IOException.class).isThrownBy(socket::startHandshake);
        }
        assertThat(rig.hears("handshake"))
                .isEqualTo("handshake: it offers TLS 1.2 at most, but the mesh speaks TLS 1.3 only: let the caller go"
                        + " through its own sidecar, or bring its TLS library up to date");
    }

    @Test
    void forgetsUpstreamConnectionsThatAreIdle() throws Exception {
        var app = rig.outbound(Rig.echo());
        var middle = rig.outbound(rig.relay(rig.plain(app)));
        var front = rig.outbound(rig.relay(rig.h2c(middle)));
        var answer = Rig.call(front, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assertThat(answer).startsWith("HTTP/1.1 200");

        rig.until(() -> app.connections() == 0 && middle.connections() == 0);
    }

    // -- how much

    @Test
    void endsAConnectionThatOpensAndResetsStreams() throws Exception {
        try (var client = Frames.client(Rig.socket(rig.outbound(Rig.echo())))) {
            var burst = new ByteArrayOutputStream();
            for (int id = 1; id < 4 * RESETS; id += 2) {
                burst.writeBytes(Frames.frame(Frames.HEADERS, Frames.END_HEADERS, id, Frames.request("POST", "shop")));
                burst.writeBytes(Frames.frame(Frames.RESET, 0, id, new byte[] {0, 0, 0, 8}));
            }
            client.write(burst.toByteArray());

            assertThat(client.next(Frames.GOAWAY).number(4)).isEqualTo(Frames.ENHANCE_YOUR_CALM);
            client.readToEnd();
        }
    }

    @Test
    void endsAConnectionWhoseAnswersToPingsNobodyReads() throws Exception {
        flood(Frames.frame(Frames.PING, 0, 0, new byte[8]));
    }

    @Test
    void endsAConnectionWhoseAnswersToSettingsNobodyReads() throws Exception {
        flood(Frames.frame(Frames.SETTINGS, 0, 0, new byte[0]));
    }

    private void flood(byte[] frame) throws IOException {
        try (var client = Frames.client(Rig.socketOfLittleRoom(rig.outbound(Rig.echo())))) {
            var burst = new ByteArrayOutputStream();
            for (int i = 0; i < 10_000; i++) {
                burst.writeBytes(frame);
            }
            assertThatExceptionOfType(IOException.class).isThrownBy(() -> {
                while (true) {
                    client.write(burst.toByteArray());
                }
            });
        }
    }

    @Test
    void endsAConnectionWhoseHeadNeverEnds() throws Exception {
        try (var client = Frames.client(Rig.socket(rig.outbound(Rig.echo())))) {
            client.write(Frames.HEADERS, 0, 1, Frames.request("GET", "shop"));
            var burst = new ByteArrayOutputStream();
            for (int i = 0; i < 1_000; i++) {
                burst.writeBytes(Frames.frame(Frames.CONTINUATION, 0, 1, new byte[0]));
            }
            client.write(burst.toByteArray());

            assertThat(client.next(Frames.GOAWAY).number(4)).isEqualTo(Frames.ENHANCE_YOUR_CALM);
            client.readToEnd();
        }
    }

    @Test
    void endsAConnectionWhoseHeadIsTooLarge() throws Exception {
        try (var client = Frames.client(Rig.socket(rig.outbound(Rig.echo())))) {
            client.write(Frames.HEADERS, 0, 1, Frames.request("GET", "shop"));
            var fields = new ByteArrayOutputStream();
            for (int i = 0; i < 70; i++) {
                fields.writeBytes(Frames.fields("x-" + i, "v".repeat(120)));
            }

            assertThatExceptionOfType(IOException.class).isThrownBy(() -> {
                while (true) {
                    client.write(Frames.CONTINUATION, 0, 1, fields.toByteArray());
                }
            });
            client.readToEnd();
        }
        assertThat(rig.hears("malformed")).startsWith("malformed: it breaks HTTP/2's rules: ");
    }

    @Test
    void answersAHeadThatIsTooLarge() throws Exception {
        try (var client = Frames.client(Rig.socket(rig.outbound(Rig.echo())))) {
            client.write(Frames.HEADERS, Frames.END_STREAM, 1, Frames.request("GET", "shop"));
            var fields = new ByteArrayOutputStream();
            for (int i = 0; i < 120; i++) {
                fields.writeBytes(Frames.fields("x-" + i, "v".repeat(110)));
            }
            // More than 64 KiB as HPACK reckons, and less than would end the connection.
            for (int i = 1; i <= 4; i++) {
                client.write(Frames.CONTINUATION, i == 4 ? Frames.END_HEADERS : 0, 1, fields.toByteArray());
            }

            client.next(Frames.HEADERS);
        }
        assertThat(rig.hears("unread")).startsWith("unread: HTTP/2 ' ' 431 ");
    }

    @Test
    void tellsOfTheRequestThatItResets() throws Exception {
        try (var client = Frames.client(Rig.socket(rig.outbound(Rig.echo())))) {
            client.write(Frames.HEADERS, Frames.END_HEADERS | Frames.END_STREAM, 1, Frames.request("GET", "a@shop"));

            assertThat(client.next(Frames.RESET).number(0)).isEqualTo(1);
        }
        assertThat(rig.hears("unread")).isEqualTo("unread: HTTP/2 'GET /' 0 an authority that is no host and port");
        assertThat(rig.heard).isEmpty();
    }

    @Test
    void tellsOfAnHttp1HeadThatIsTooLarge() throws Exception {
        var answer = Rig.call(
                rig.outbound(Rig.echo()), "GET /a HTTP/1.1\r\nHost: a\r\nx: " + "v".repeat(70 << 10) + "\r\n\r\n");

        assertThat(answer).startsWith("HTTP/1.1 431");
        assertThat(rig.hears("unread")).contains("431 the fields have more than 65536 bytes");
    }

    @Test
    void tellsWhatWasAskedWhereTheFirstLineCouldBeRead() throws Exception {
        var answer = Rig.call(rig.outbound(Rig.echo()), "DELETE /a?b HTTP/1.1\r\n\r\n");

        assertThat(answer).startsWith("HTTP/1.1 400");
        assertThat(rig.hears("unread"))
                .isEqualTo("unread: HTTP/1.1 'DELETE /a?b' 400 an HTTP/1.1 request without host");
    }

    @Test
    void tellsWhoeverHearsARequestThatTheRestOfItIsBroken() throws Exception {
        var front = rig.outbound(_ -> new Broken(rig.heard));

        var answer = Rig.call(front, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n");

        assertThat(answer).startsWith("HTTP/1.1 400");
        assertThat(rig.hears("broken")).isEqualTo("broken: 400 a chunk's size is no hexadecimal number");
        assertThat(rig.heard).isEmpty();
    }

    private record Broken(java.util.Queue<String> heard) implements RequestListener {
        @Override
        public void onData(io.netty.buffer.ByteBuf chunk, boolean last) {
            chunk.release();
        }

        @Override
        public void onTrailers(Fields trailers) {}

        @Override
        public void onReset(Reset reason) {
            heard.add("reset: " + reason);
        }

        @Override
        public void onMalformed(int status, String sentence) {
            heard.add("broken: " + status + " " + sentence);
        }

        @Override
        public void onWritable() {}
    }

    @Test
    void refusesStreamsBeyondWhatItAllows() throws Exception {
        var front = rig.outbound(_ -> new Silent());
        try (var client = Frames.client(Rig.socket(front))) {
            // Our settings bind the client once it has acknowledged them.
            client.next(Frames.SETTINGS);
            client.write(Frames.SETTINGS, Frames.ACK, 0);
            for (int id = 1; id <= 23; id += 2) {
                client.write(Frames.HEADERS, Frames.END_HEADERS | Frames.END_STREAM, id, Frames.request("GET", "shop"));
            }

            var reset = client.next(Frames.RESET);
            assertThat(reset.stream()).isEqualTo(21);
            assertThat(reset.number(0)).isEqualTo(7);
        }
    }
}
