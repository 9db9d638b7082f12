package dev.bodyguard.proxy.sidecar;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.proxy.wire.Fields;
import dev.bodyguard.proxy.wire.Limits;
import dev.bodyguard.proxy.wire.Listener;
import dev.bodyguard.proxy.wire.ListenerEvents;
import dev.bodyguard.proxy.wire.Loops;
import dev.bodyguard.proxy.wire.MeshTls;
import dev.bodyguard.proxy.wire.RequestHandler;
import dev.bodyguard.proxy.wire.RequestListener;
import dev.bodyguard.proxy.wire.Reset;
import dev.bodyguard.proxy.wire.Response;
import dev.bodyguard.proxy.wire.TunnelListener;
import dev.bodyguard.proxy.wire.Upstreams;
import dev.bodyguard.telemetry.record.Meters;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocketFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

@Execution(ExecutionMode.CONCURRENT)
class ProberTest {
    private static final InetAddress HERE = InetAddress.getLoopbackAddress();

    private final Loops loops = Loops.start(1);
    private final AppPlace place = new AppPlace(List.of(HERE), List.of());
    private final Prober prober;

    ProberTest() throws IOException {
        var svid = new TestAuthority("cluster.local").svid("payments");
        prober = new Prober(
                place,
                new GrpcHealth(
                        Upstreams.on(loops, Limits.DEFAULTS, new MeshTls(svid, InstantSource.system())),
                        loops.all().getFirst(),
                        place));
    }

    @AfterEach
    void close() {
        loops.close();
    }

    @Test
    void asksByGetAndPassesTheStatusOn() throws Exception {
        var heard = new CompletableFuture<String>();
        try (var app = new ServerSocket(0, 1, HERE)) {
            Thread.ofVirtual().start(() -> {
                try (var asked = app.accept()) {
                    var head = new StringBuilder(asked.getInetAddress().getHostAddress() + "\n");
                    while (head.indexOf("\r\n\r\n") < 0) {
                        head.append((char) asked.getInputStream().read());
                    }
                    asked.getOutputStream()
                            .write("HTTP/1.1 418 I'm a teapot\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                    heard.complete(head.toString());
                } catch (IOException broken) {
                    heard.completeExceptionally(broken);
                }
            });

            var reply = ask(
                    "{\"httpGet\": {\"path\": \"/ready?full\", \"port\": %d, \"httpHeaders\":"
                            + " [{\"name\": \"Host\", \"value\": \"shop.example\"}]}}",
                    app.getLocalPort());

            assertThat(reply.status()).isEqualTo(418);
            assertThat(heard.get(30, TimeUnit.SECONDS))
                    .as("and from where the kernel knows the sidecar on its way to the app")
                    .isEqualTo("""
                        127.0.0.6
                        GET /ready?full HTTP/1.1\r
                        Host: shop.example\r
                        User-Agent: kube-probe/bodyguard\r
                        Accept: */*\r
                        Connection: close\r
                        \r
                        """);
        }
    }

    @Test
    void asksByTlsWhateverTheCertificateSays() throws Exception {
        try (var app = tls().createServerSocket(0, 1, HERE)) {
            var heard = new CompletableFuture<String>();
            Thread.ofVirtual().start(() -> {
                try (var asked = app.accept()) {
                    var head = new StringBuilder();
                    while (head.indexOf("\r\n\r\n") < 0) {
                        head.append((char) asked.getInputStream().read());
                    }
                    asked.getOutputStream().write("HTTP/1.1 302 Found\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                    heard.complete(head.toString());
                } catch (IOException broken) {
                    heard.completeExceptionally(broken);
                }
            });

            var reply = ask(
                    "{\"httpGet\": {\"scheme\": \"HTTPS\", \"path\": \"/ready\", \"port\": %d}, \"timeoutSeconds\": 20}",
                    app.getLocalPort());

            assertThat(reply).isEqualTo(AdminServer.Reply.text(302, "the app answered 302\n"));
            assertThat(heard.get(30, TimeUnit.SECONDS)).startsWith("GET /ready HTTP/1.1\r\n");
        }
    }

    @Test
    void tellsThatAnAppSpeaksNoTls() throws Exception {
        try (var app = new ServerSocket(0, 1, HERE)) {
            Thread.ofVirtual().start(() -> {
                try (var asked = app.accept()) {
                    asked.getOutputStream()
                            .write("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                } catch (IOException ended) {
                    // The prober turned away.
                }
            });

            var reply = ask(
                    "{\"httpGet\": {\"scheme\": \"HTTPS\", \"port\": %d}, \"timeoutSeconds\": 20}", app.getLocalPort());

            assertThat(reply.status()).isEqualTo(503);
            assertThat(reply.body()).startsWith("the app cannot be asked: ").doesNotContain("did not answer");
        }
    }

    private static SSLServerSocketFactory tls() throws Exception {
        var svid = new TestAuthority("elsewhere.example").svid("nobody");
        var store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setKeyEntry("app", svid.key(), new char[0], svid.chain().toArray(Certificate[]::new));
        var keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, new char[0]);
        var context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        return context.getServerSocketFactory();
    }

    @Test
    void asksWhetherAPortIsOpen() throws Exception {
        int port;
        try (var app = new ServerSocket(0, 1, HERE)) {
            port = app.getLocalPort();
            assertThat(ask("{\"tcpSocket\": {\"port\": %d}, \"timeoutSeconds\": 20}", port)
                            .status())
                    .isEqualTo(200);
        }
        assertThat(ask("{\"tcpSocket\": {\"port\": %d}, \"timeoutSeconds\": 20}", port)
                        .status())
                .isEqualTo(503);
    }

    @Test
    void givesUpOnAnAppThatDoesNotAnswer() throws Exception {
        try (var app = new ServerSocket(0, 1, HERE)) {
            var reply = ask("{\"httpGet\": {\"port\": %d}, \"timeoutSeconds\": 1}", app.getLocalPort());

            assertThat(reply.status()).isEqualTo(503);
            assertThat(reply.body()).contains("did not answer within 1000 ms");
        }
    }

    @Test
    void waitsForAHookWithoutATimeout() throws Exception {
        try (var app = new ServerSocket(0, 1, HERE)) {
            Thread.ofVirtual().start(() -> {
                try (var asked = app.accept()) {
                    TimeUnit.SECONDS.sleep(2); // as long as this app takes to stop
                    asked.getOutputStream().write("HTTP/1.1 200 OK\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                } catch (IOException | InterruptedException ended) {
                    // The prober turned away.
                }
            });

            var hooks = hook(app.getLocalPort());

            assertThat(prober.ask(requireNonNull(hooks.get(HOOK))))
                    .isEqualTo(AdminServer.Reply.text(200, "the app answered 200\n"));
        }
    }

    @Test
    void probesAreAnsweredWhileHooksTakeTheirTime() throws Exception {
        int hooks = 6;
        try (var app = new ServerSocket(0, hooks, HERE);
                var ready = new ServerSocket(0, 1, HERE)) {
            app.setSoTimeout(20_000);
            var probes = new HashMap<>(hook(app.getLocalPort()));
            probes.putAll(
                    Probe.read("{\"/app-health/web/livez\": {\"tcpSocket\": {\"port\": %d}, \"timeoutSeconds\": 20}}"
                            .formatted(ready.getLocalPort())));
            var pages = new PodPages(new Readiness(), new Meters(), new AppMetrics(Optional.empty()), prober);
            var open = new ArrayList<Socket>();
            try (var server =
                    AdminServer.start(new InetSocketAddress(HERE, 0), pages.ofApp(probes), PodPages.appThreads())) {
                for (int i = 0; i < hooks; i++) {
                    open.add(asked(server, HOOK));
                    open.add(app.accept());
                }

                var asked = asked(server, "/app-health/web/livez");
                open.add(asked);

                assertThat(Http1.need(asked.getInputStream(), false).status()).isEqualTo(200);
            } finally {
                for (var socket : open) {
                    socket.close();
                }
            }
        }
    }

    private static final String HOOK = "/app-lifecycle/web/prestopz";

    private static Map<String, Probe> hook(int port) {
        return Probe.read("{\"%s\": {\"httpGet\": {\"port\": %d}}}".formatted(HOOK, port));
    }

    private static Socket asked(AdminServer server, String path) throws IOException {
        var socket = new Socket(HERE, server.port());
        socket.setSoTimeout(20_000);
        socket.getOutputStream()
                .write(("GET " + path + " HTTP/1.1\r\nHost: pod\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    @Test
    void asksForHealthByGrpc() throws Exception {
        assertThat(health(new byte[] {0, 0, 0, 0, 2, 8, 1}, "0"))
                .isEqualTo(AdminServer.Reply.text(200, "the app serves\n"));
        assertThat(health(new byte[] {0, 0, 0, 0, 2, 8, 2}, "0").body()).contains("health is 2, not SERVING (1)");
        assertThat(health(new byte[] {0, 0, 0, 0, 0}, "0").body()).contains("health is 0, not SERVING (1)");
        assertThat(health(new byte[] {0, 0, 0}, "0").body()).contains("no message of gRPC");
        assertThat(health(new byte[] {}, "5").body()).contains("gRPC's status 5");
    }

    private AdminServer.Reply health(byte[] answer, String status) throws IOException {
        RequestHandler app = exchange -> {
            assertThat(exchange.request().path()).isEqualTo("/grpc.health.v1.Health/Check");
            exchange.head(Response.of(200, Fields.of("content-type", "application/grpc")), false);
            exchange.data(Unpooled.wrappedBuffer(answer), false);
            exchange.trailers(Fields.of("grpc-status", status));
            return new RequestListener() {
                @Override
                public void onData(ByteBuf chunk, boolean last) {
                    chunk.release();
                }

                @Override
                public void onTrailers(Fields trailers) {}

                @Override
                public void onReset(Reset reason) {}

                @Override
                public void onWritable() {}
            };
        };
        try (var listener = Listener.outbound(
                loops,
                new InetSocketAddress(HERE, 0),
                Limits.DEFAULTS,
                app,
                _ -> new TunnelListener() {},
                new ListenerEvents() {})) {
            return ask(
                    "{\"grpc\": {\"port\": %d, \"service\": \"shop\"}, \"timeoutSeconds\": 20}",
                    listener.address().getPort());
        }
    }

    private AdminServer.Reply ask(String probe, int port) {
        var probes = Probe.read("{\"/app-health/web/readyz\": " + probe.formatted(port) + "}");
        return prober.ask(requireNonNull(probes.get("/app-health/web/readyz")));
    }
}
