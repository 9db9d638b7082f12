package dev.bodyguard.proxy.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Other protocols than HTTP, by `upgrade` on both outer sides and by HTTP/2's extended CONNECT between two proxies.
@Timeout(60)
@SuppressWarnings("StringConcatToTextBlock") // line ends are part of what is sent
class UpgradeTest {
    /// RFC 6455 §1.3.
    private static final String KEY = "dGhlIHNhbXBsZSBub25jZQ==";

    private static final String ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    private static final String ASKS = "GET /chat HTTP/1.1\r\nHost: shop\r\nConnection: keep-alive, Upgrade\r\n"
            + "Upgrade: WebSocket\r\nSec-WebSocket-Key: " + KEY + "\r\n\r\n";
    private static final String GRANTS = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
            + "Upgrade: websocket\r\nSec-WebSocket-Accept: " + ACCEPT + "\r\n\r\n";

    private final Rig rig = new Rig();
    private final ServerSocket app = open();

    @AfterEach
    void close() throws IOException {
        rig.close();
        app.close();
    }

    @Test
    void carriesBytesBothWaysAndEndsEachOnItsOwn() throws Exception {
        try (var client = Rig.socket(pair())) {
            send(client, ASKS);
            try (var server = accept()) {
                assertThat(head(server))
                        .startsWith("GET /chat HTTP/1.1\r\nhost: shop\r\n")
                        .contains("connection: Upgrade\r\nupgrade: websocket\r\n", "sec-websocket-key: " + KEY);
                send(server, GRANTS + "first");
                assertThat(head(client))
                        .startsWith("HTTP/1.1 101 Switching Protocols\r\n")
                        .contains("connection: Upgrade\r\nupgrade: websocket\r\n", "sec-websocket-accept: " + ACCEPT);
                assertThat(text(client, 5)).isEqualTo("first");
                send(client, "second");
                assertThat(text(server, 6)).isEqualTo("second");

                client.shutdownOutput();
                assertThat(server.getInputStream().read()).isEqualTo(-1);
                send(server, "third");
                assertThat(text(client, 5)).isEqualTo("third");
            }
            assertThat(client.getInputStream().read()).isEqualTo(-1);
        }
    }

    @Test
    void endsFirstWhereTheServerDoes() throws Exception {
        try (var client = Rig.socket(pair())) {
            send(client, ASKS);
            try (var server = accept()) {
                head(server);
                send(server, GRANTS);
                head(client);
                server.shutdownOutput();
                assertThat(client.getInputStream().read()).isEqualTo(-1);
                send(client, "last words");
                assertThat(text(server, 10)).isEqualTo("last words");
                client.shutdownOutput();
                assertThat(server.getInputStream().read()).isEqualTo(-1);
            }
        }
    }

    @Test
    void holdsBackWhoeverIsFaster() throws Exception {
        var much = new byte[8 << 20];
        new Random(7).nextBytes(much);
        try (var client = Rig.socket(pair())) {
            send(client, ASKS);
            try (var server = accept()) {
                head(server);
                send(server, GRANTS);
                head(client);
                var echo = Thread.startVirtualThread(() -> {
                    try {
                        server.getInputStream().transferTo(server.getOutputStream());
                        server.shutdownOutput();
                    } catch (IOException broken) {
                        throw new UncheckedIOException(broken);
                    }
                });
                var sender = Thread.startVirtualThread(() -> {
                    try {
                        client.getOutputStream().write(much);
                        client.shutdownOutput();
                    } catch (IOException broken) {
                        throw new UncheckedIOException(broken);
                    }
                });
                // Nobody reads for a while, so everything on the way fills.
                rig.until(() -> sender.getState() == Thread.State.WAITING || !sender.isAlive());
                assertThat(client.getInputStream().readAllBytes()).isEqualTo(much);
                echo.join();
                sender.join();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"200 OK", "204 No Content", "403 Forbidden", "426 Upgrade Required"})
    void passesOnTheAnswerOfAServerThatDoesNotWantTo(String status) throws Exception {
        var body = status.startsWith("204") ? "" : "no";
        try (var client = Rig.socket(pair())) {
            send(client, ASKS + "GET /next HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n");
            try (var server = accept()) {
                head(server);
                send(
                        server,
                        "HTTP/1.1 " + status + "\r\n" + (body.isEmpty() ? "" : "Content-Length: 2\r\n") + "\r\n"
                                + body);
                assertThat(head(client))
                        .startsWith("HTTP/1.1 " + status + "\r\n")
                        .doesNotContain("x-bodyguard");
                assertThat(text(client, body.length())).isEqualTo(body);
                assertThat(head(server)).startsWith("GET /next HTTP/1.1\r\n").doesNotContain("upgrade");
                send(server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                assertThat(head(client)).startsWith("HTTP/1.1 200 OK\r\n");
            }
        }
    }

    @Test
    void cancelsWhatAClientThatHasGoneAskedFor() throws Exception {
        var client = Rig.socket(pair());
        send(client, ASKS);
        try (var server = accept()) {
            head(server);
            client.close();
            assertThat(server.getInputStream().read()).isEqualTo(-1);
        }
    }

    @Test
    void breaksOffWhereTheServerDoes() throws Exception {
        try (var client = Rig.socket(pair())) {
            send(client, ASKS);
            var server = accept();
            head(server);
            send(server, GRANTS);
            head(client);
            server.setSoLinger(true, 0);
            server.close();
            assertThat(client.getInputStream().read()).isEqualTo(-1);
        }
    }

    /// Which nobody may send on: HTTP/2 has a preface, TLS is this hop's.
    @ParameterizedTest
    @ValueSource(strings = {"h2c", "HTTP/2.0", "TLS/1.0", "web socket", "/", ""})
    void takesARequestForWhatItIsWhereItsProtocolIsNotPassedOn(String protocol) throws Exception {
        try (var client = Rig.socket(pair())) {
            send(client, "GET / HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: " + protocol + "\r\n\r\n");
            try (var server = accept()) {
                assertThat(head(server)).doesNotContain("upgrade");
            }
        }
    }

    @Test
    void takesNoOtherProtocolThanWasAskedFor() throws Exception {
        var front = rig.outbound(rig.relay(Rig.plain(address())));
        try (var client = Rig.socket(front)) {
            send(client, ASKS);
            try (var server = accept()) {
                head(server);
                send(server, GRANTS.replace("Upgrade: websocket", "Upgrade: irc"));
                assertThat(head(client)).startsWith("HTTP/1.1 503 ");
            }
        }
    }

    @Test
    void asksNoPeerThatKnowsHttpOnly() throws Exception {
        var front = rig.outbound(rig.relay(Rig.h2c(address())));
        try (var client = Rig.socket(front)) {
            send(client, ASKS);
            var peer = Frames.server(accept());
            peer.settings();
            assertThat(head(client)).startsWith("HTTP/1.1 503 ");
        }
        rig.hears("NoUpgrades: ");
    }

    @Test
    void makesUpTheKeyThatAClientOfHttp2Has() throws Exception {
        var front = rig.outbound(rig.relay(Rig.plain(address())));
        try (var client = Frames.client(Rig.socket(front))) {
            client.write(
                    Frames.HEADERS,
                    Frames.END_HEADERS,
                    1,
                    Frames.fields(
                            ":method",
                            "CONNECT",
                            ":protocol",
                            "websocket",
                            ":scheme",
                            "http",
                            ":path",
                            "/chat",
                            ":authority",
                            "shop",
                            "sec-websocket-version",
                            "13"));
            try (var server = accept()) {
                var asked = head(server);
                assertThat(asked).startsWith("GET /chat HTTP/1.1\r\n").contains("sec-websocket-version: 13\r\n");
                var key = Pattern.compile("sec-websocket-key: (\\S+)\r\n").matcher(asked);
                assertThat(key.find()).isTrue();
                send(server, GRANTS.replace(ACCEPT, Upgrades.accept(key.group(1))) + "hello");

                assertThat(client.next(Frames.HEADERS).payload()).startsWith(Frames.OK);
                assertThat(client.next(Frames.DATA).payload()).isEqualTo("hello".getBytes(StandardCharsets.US_ASCII));
                client.write(Frames.DATA, Frames.END_STREAM, 1, "bye".getBytes(StandardCharsets.US_ASCII));
                assertThat(text(server, 3)).isEqualTo("bye");
                assertThat(server.getInputStream().read()).isEqualTo(-1);
            }
            assertThat(client.next(Frames.DATA).has(Frames.END_STREAM)).isTrue();
        }
    }

    @Test
    void knowsTheAnswerToTheKeyOfTheStandard() {
        assertThat(Upgrades.accept(KEY)).isEqualTo(ACCEPT);
    }

    private Listener pair() throws IOException {
        var inbound = rig.inbound(rig.relay(Rig.plain(address())));
        return rig.outbound(rig.relay(rig.mtls(inbound, "payments")));
    }

    private InetSocketAddress address() {
        return new InetSocketAddress(app.getInetAddress(), app.getLocalPort());
    }

    private Socket accept() throws IOException {
        app.setSoTimeout(30_000);
        var server = app.accept();
        server.setSoTimeout(30_000);
        return server;
    }

    private static String head(Socket from) throws IOException {
        return Rig.readUntil(from.getInputStream(), "\r\n\r\n");
    }

    private static String text(Socket from, int length) throws IOException {
        InputStream in = from.getInputStream();
        return new String(in.readNBytes(length), StandardCharsets.US_ASCII);
    }

    private static void send(Socket to, String text) throws IOException {
        to.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static ServerSocket open() {
        try {
            return new ServerSocket(0, 8, Rig.anyPort().getAddress());
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }
}
