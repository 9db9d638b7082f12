package dev.bodyguard.proxy.sidecar;

import static dev.bodyguard.proxy.sidecar.TestSidecar.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.UInt32Value;
import dev.bodyguard.proxy.engine.Resources;
import io.envoyproxy.envoy.config.cluster.v3.OutlierDetection;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Bytes that are no HTTP, to a host that only the mesh knows: two sidecars, an app of bytes, real sockets.
class TunnelTest {
    private static final String LEDGER = "5432/ledger";

    private static final String GET = "GET / HTTP/1.1\r\nhost: shop\r\n\r\n";

    private TestAuthority authority;
    private ServerSocket app;
    private final AtomicInteger accepted = new AtomicInteger();
    private final AtomicInteger over = new AtomicInteger();
    /// Of those, the ones that said anything.
    private final AtomicInteger heard = new AtomicInteger();
    private TestSidecar callee;
    private TestSidecar caller;

    @BeforeEach
    void start() throws IOException {
        authority = new TestAuthority("cluster.local");
        app = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::echo);
        callee = callee(app.getLocalPort());
        caller = new TestSidecar("checkout", 1, authority.svid("checkout"));
        caller.config
                .put(Resources.LISTENER, "outbound", Given.outboundBlockingUnknown())
                .put(
                        Resources.CLUSTER,
                        Given.CLUSTER,
                        Given.cluster(authority.id("payment-service").toString()))
                .put(Resources.ASSIGNMENT, Given.CLUSTER, Given.meshed(callee.inboundPort()))
                .put(Resources.VIRTUAL_HOST, LEDGER, Given.knownBy(LEDGER, "tcpCluster", Given.CLUSTER));
        caller.follow();
    }

    @AfterEach
    void stop() throws IOException {
        caller.close();
        callee.close();
        app.close();
    }

    @Test
    void reachTheWorkloadOverMutualTlsAndAreCounted() throws IOException {
        try (var socket = connect("ledger:5432")) {
            socket.getOutputStream().write("\0\1hello".getBytes(StandardCharsets.US_ASCII));
            socket.shutdownOutput();

            assertThat(socket.getInputStream().readAllBytes())
                    .asString(StandardCharsets.US_ASCII)
                    .isEqualTo("\0\1hello");
        }

        assertThat(callee.line(1))
                .contains("\"protocol\":\"TCP\"", "\"peer\":\"spiffe://cluster.local/ns/default/sa/checkout\"")
                .contains("\"bytes_received\":7", "\"bytes_sent\":7");
        assertThat(caller.line(1))
                .contains("\"authority\":\"ledger:5432\"", "\"upstream_cluster\":\"" + Given.CLUSTER + "\"")
                .contains("\"rule\":\"" + Given.ORIGIN + "\"");
        assertThat(callee.metrics())
                .containsPattern("istio_tcp_connections_opened_total\\{.*sa/checkout.*mutual_tls.*} 1")
                .containsPattern("istio_tcp_received_bytes_total\\{.*sa/checkout.*} 7")
                .doesNotContainPattern("istio_requests_total\\{.*tcp");
    }

    @Test
    void reachTheWorkloadByHttp2sConnectToo() throws IOException {
        try (var socket = caller.connect()) {
            var out = new ByteArrayOutputStream();
            out.writeBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            out.writeBytes(frame(4, 0, 0, ""));
            // :method and :authority, by their places in HPACK's table
            out.writeBytes(frame(1, 4, 1, "\2\7CONNECT\1\13ledger:5432"));
            out.writeBytes(frame(0, 1, 1, "\0\1hello"));
            socket.getOutputStream().write(out.toByteArray());

            var in = new DataInputStream(socket.getInputStream());
            var answer = new StringBuilder();
            for (boolean ended = false; !ended; ) {
                var payload = new byte[in.readUnsignedByte() << 16 | in.readUnsignedShort()];
                int type = in.readUnsignedByte();
                int flags = in.readUnsignedByte();
                int stream = in.readInt();
                in.readFully(payload);
                if (stream == 1) {
                    answer.append(type == 0 ? new String(payload, StandardCharsets.US_ASCII) : "<" + type + ">");
                    ended = (flags & 1) == 1;
                }
            }
            assertThat(answer).hasToString("<1>\0\1hello");
        }

        assertThat(callee.line(1)).contains("\"protocol\":\"TCP\"", "\"bytes_received\":7", "\"bytes_sent\":7");
        assertThat(caller.line(1)).contains("\"authority\":\"ledger:5432\"", "\"rule\":\"" + Given.ORIGIN + "\"");
    }

    private static byte[] frame(int type, int flags, int stream, String payload) {
        return ByteBuffer.allocate(9 + payload.length())
                .put((byte) 0)
                .putShort((short) payload.length())
                .put((byte) type)
                .put((byte) flags)
                .putInt(stream)
                .put(payload.getBytes(StandardCharsets.US_ASCII))
                .array();
    }

    /// Whether a port is declared to carry no HTTP, is known for it, or nobody knows what it carries.
    @Test
    void areHeardAtOnceWhereTheServerSpeaksFirst() throws IOException {
        try (var greeter = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                var other = callee(greeter.getLocalPort())) {
            Thread.ofVirtual().start(() -> greet(greeter));
            caller.config
                    .put(Resources.ASSIGNMENT, Given.CLUSTER, Given.meshed(other.inboundPort()))
                    .put(
                            Resources.VIRTUAL_HOST,
                            "5433/ledger",
                            Given.knownBy("5433/ledger", "tcpCluster", Given.CLUSTER, "tcpOnly", "true"))
                    .put(
                            Resources.VIRTUAL_HOST,
                            "3306/ledger",
                            Given.knownBy("3306/ledger", "tcpCluster", Given.CLUSTER));

            for (var destination : new String[] {"ledger:5432", "ledger:5433", "ledger:3306"}) {
                assertThat(untilGreeted(destination)).as(destination).isLessThan(OutboundTunnels.SILENCE);
            }
            assertThat(other.metrics())
                    .containsPattern("istio_tcp_connections_opened_total\\{.*sa/checkout.*mutual_tls.*} 30");
        }
    }

    /// The server was dialled before the client had said a word, and again for the request: the first connection goes
    /// unused, and leaves no trace. Where HTTP was heard nobody is dialled any more.
    @Test
    void areNotWhatComesOfHttp() throws IOException {
        var dialled = new AtomicInteger();
        var unused = new AtomicInteger();
        try (var shop = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                var other = callee(shop.getLocalPort())) {
            Thread.ofVirtual().start(() -> serveHttp(shop, dialled, unused));
            caller.config.put(Resources.ASSIGNMENT, Given.CLUSTER, Given.meshed(other.inboundPort()));
            for (var key : new String[] {"8080/shop", "8081/shop"}) {
                caller.config.put(
                        Resources.VIRTUAL_HOST,
                        key,
                        Given.knownBy(key, "tcpCluster", Given.CLUSTER).toBuilder()
                                .addRoutes(Given.route(Given.to(Given.CLUSTER)))
                                .build());
            }

            try (var socket = connect("shop:8080")) {
                eventually("the server is dialled, of which nobody has asked anything", () -> dialled.get() == 1);
                assertThat(get(socket)).isEqualTo("ok");
            }
            eventually("the connection is dropped", () -> unused.get() == 1);
            for (int i = 0; i < 5; i++) {
                try (var socket = connect("shop:8080")) {
                    assertThat(get(socket)).isEqualTo("ok");
                }
            }
            assertThat(dialled).as("one in vain, one for all requests").hasValue(2);

            // A client that says at once what it speaks: the handshake on the way is no failure.
            try (var socket = caller.connect()) {
                socket.getOutputStream()
                        .write(("CONNECT shop:8081 HTTP/1.1\r\nhost: shop:8081\r\n\r\n" + GET)
                                .getBytes(StandardCharsets.US_ASCII));
                var in = new BufferedInputStream(socket.getInputStream());
                assertThat(Http1.need(in, true).status()).isEqualTo(200);
                assertThat(Http1.need(in, false).body()).isEqualTo("ok");
            }
            eventually("all is told", () -> caller.lines() == 7 && other.lines() == 7);
            eventually("nothing else is open", () -> dialled.get() == unused.get() + 1);

            for (var sidecar : new TestSidecar[] {caller, other}) {
                assertThat(sidecar.metrics())
                        .doesNotContain("istio_tcp_connections_opened_total{")
                        .doesNotContain("istio_tcp_connections_closed_total{");
                assertThat(sidecar.refusals).isEmpty();
                assertThat(sidecar.lines()).isEqualTo(7);
            }
            assertThat(other.doubts).hasValue(0);
            assertThat(other.app.problems()).isEmpty();
        }
    }

    private static String get(Socket socket) throws IOException {
        socket.getOutputStream().write(GET.getBytes(StandardCharsets.US_ASCII));
        return Http1.need(new BufferedInputStream(socket.getInputStream()), false)
                .body();
    }

    private static void serveHttp(ServerSocket shop, AtomicInteger dialled, AtomicInteger unused) {
        while (!shop.isClosed()) {
            try {
                var socket = shop.accept();
                dialled.incrementAndGet();
                Thread.ofVirtual().start(() -> {
                    try (socket) {
                        var in = new BufferedInputStream(socket.getInputStream());
                        boolean any = false;
                        while (Http1.read(in, false) != null) {
                            any = true;
                            socket.getOutputStream()
                                    .write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
                                            .getBytes(StandardCharsets.US_ASCII));
                        }
                        unused.addAndGet(any ? 0 : 1);
                    } catch (IOException _) {
                        // The test is over.
                    }
                });
            } catch (IOException _) {
                return;
            }
        }
    }

    private static void greet(ServerSocket greeter) {
        while (true) {
            try (var socket = greeter.accept()) {
                socket.getOutputStream().write("220 hello".getBytes(StandardCharsets.US_ASCII));
                socket.getInputStream().transferTo(socket.getOutputStream());
            } catch (IOException _) {
                if (greeter.isClosed()) {
                    return;
                }
            }
        }
    }

    /// From the tunnel's being granted to the server's first word, at best: the machine may be busy with other things.
    private Duration untilGreeted(String destination) throws IOException {
        var best = Duration.ofDays(1);
        for (int i = 0; i < 10; i++) {
            try (var socket = connect(destination)) {
                long from = System.nanoTime();
                assertThat(socket.getInputStream().readNBytes(9))
                        .asString(StandardCharsets.US_ASCII)
                        .isEqualTo("220 hello");
                var took = Duration.ofNanos(System.nanoTime() - from);
                best = took.compareTo(best) < 0 ? took : best;
            }
        }
        return best;
    }

    @Test
    void goWhereTheirTlsIsForWhereTheAppCallsItsOwnMachine() throws Exception {
        caller.config.put(
                Resources.VIRTUAL_HOST, "443/ledger", Given.knownBy("443/ledger", "tcpCluster", Given.CLUSTER));

        for (var own : new String[] {"127.0.0.1:443", "[::1]:443"}) {
            for (var named : new String[] {"ledger", "LEDGER"}) {
                var hello = hello(named);
                try (var socket = connect(own)) {
                    socket.getOutputStream().write(hello, 0, 7);
                    socket.getOutputStream().flush();
                    socket.getOutputStream().write(hello, 7, hello.length - 7);

                    assertThat(socket.getInputStream().readNBytes(hello.length))
                            .as(own + " for " + named)
                            .isEqualTo(hello);
                }
            }
            try (var socket = connect(own)) {
                socket.getOutputStream().write(hello("stranger"));
                assertThat(socket.getInputStream().read()).isLessThan(0);
            }
        }
        assertThat(accepted).hasValue(4);
    }

    private static byte[] hello(String server) throws Exception {
        var engine = SSLContext.getDefault().createSSLEngine(server, 443);
        engine.setUseClientMode(true);
        var parameters = engine.getSSLParameters();
        parameters.setServerNames(List.of(new SNIHostName(server)));
        engine.setSSLParameters(parameters);
        var out = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        engine.wrap(ByteBuffer.allocate(0), out);
        return Arrays.copyOf(out.array(), out.position());
    }

    @Test
    void goToAnotherEndpointWhereOneCannotBeReached() throws IOException {
        reachTheOneOfThreeThatListens(6);
    }

    @Test
    void areNoLongerTriedAtWhomNobodyReaches() throws IOException {
        caller.config.put(
                Resources.CLUSTER,
                Given.CLUSTER,
                Given.cluster(authority.id("payment-service").toString()).toBuilder()
                        .setOutlierDetection(OutlierDetection.newBuilder()
                                .setConsecutive5Xx(UInt32Value.of(1))
                                .setMaxEjectionPercent(UInt32Value.of(100)))
                        .build());

        reachTheOneOfThreeThatListens(30);

        assertThat(Ejected.count(caller.plan())).isEqualTo(2);
    }

    private void reachTheOneOfThreeThatListens(int times) throws IOException {
        try (var one = ClosedPort.open();
                var other = ClosedPort.open()) {
            caller.config.put(
                    Resources.ASSIGNMENT,
                    Given.CLUSTER,
                    Given.meshed(one.number(), callee.inboundPort(), other.number()));

            for (int i = 0; i < times; i++) {
                try (var socket = connect("ledger:5432")) {
                    socket.getOutputStream().write(new byte[] {0, 1, 2});
                    assertThat(socket.getInputStream().readNBytes(3)).hasSize(3);
                }
            }
        }
    }

    @Test
    void endWhereTheServerIsNotWhoTheMeshSaysItIs() throws IOException {
        caller.config.put(
                Resources.CLUSTER, Given.CLUSTER, Given.cluster("spiffe://cluster.local/ns/default/sa/someone-else"));

        try (var socket = connect("ledger:5432")) {
            socket.getOutputStream().write(new byte[] {0, 1, 2});
            assertThat(socket.getInputStream().read()).isLessThan(0);
        }
        // Its sidecar may have dialled the app before the caller had judged it.
        eventually("the app's connections have ended", () -> over.get() == accepted.get());
        assertThat(heard).hasValue(0);
        assertThat(caller.line(1))
                .contains("\"protocol\":\"TCP\"", "\"authority\":\"ledger:5432\"", "\"response_flags\":\"UF\"")
                .contains("could not connect to", "\"rule\":\"" + Given.ORIGIN + "\"");
    }

    @Test
    void endWhereTheHostHasNoSuchPortOrIsUnknown() throws IOException {
        caller.config.put(Resources.VIRTUAL_HOST, "5433/ledger", Given.knownBy("5433/ledger", "ports", "5432"));

        for (var destination : new String[] {"ledger:5433", "localhost:" + app.getLocalPort()}) {
            try (var socket = connect(destination)) {
                socket.getOutputStream().write(new byte[] {0, 1, 2});
                assertThat(socket.getInputStream().read()).as(destination).isLessThan(0);
            }
        }
        assertThat(accepted).hasValue(0);
        assertThat(caller.line(1))
                .contains("\"authority\":\"ledger:5433\"", "\"response_flags\":\"NC\"", "not its port 5433");
        assertThat(caller.line(2)).contains("\"response_flags\":\"NR\"", "only hosts of the mesh may be called");
        assertThat(caller.metrics()).doesNotContainPattern("istio_tcp_connections_closed_total\\{");
    }

    @Test
    void areNotWhatAKnownHostOnAnotherPortIsAskedFor() throws IOException {
        caller.config.put(Resources.VIRTUAL_HOST, "5433/ledger", Given.knownBy("5433/ledger", "ports", "5432"));

        var answer = caller.get("http://ledger:5433/");

        assertThat(answer.status()).isEqualTo(404);
        assertThat(answer.body())
                .contains("the mesh knows ledger, but not its port 5433; it has 5432")
                .contains("rule: " + Given.ORIGIN);
    }

    @Test
    void makeTheSidecarDoubtItsAppWhereItDoesNotListen() throws IOException {
        try (var closed = ClosedPort.open();
                var alone = callee(closed.number())) {
            caller.config.put(Resources.ASSIGNMENT, Given.CLUSTER, Given.meshed(alone.inboundPort()));

            try (var socket = connect("ledger:5432")) {
                socket.getOutputStream().write(new byte[] {0, 1, 2});
                assertThat(socket.getInputStream().read()).isLessThan(0);
            }
            assertThat(alone.doubts.get()).isPositive();
        }
    }

    private Socket connect(String destination) throws IOException {
        var socket = caller.connect();
        socket.getOutputStream()
                .write(("CONNECT " + destination + " HTTP/1.1\r\nhost: " + destination + "\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII));
        assertThat(Http1.need(socket.getInputStream(), true).status()).isEqualTo(200);
        return socket;
    }

    private void echo() {
        while (true) {
            try {
                var socket = app.accept();
                accepted.incrementAndGet();
                Thread.ofVirtual().start(() -> {
                    try (socket) {
                        int first = socket.getInputStream().read();
                        if (first >= 0) {
                            heard.incrementAndGet();
                            socket.getOutputStream().write(first);
                            socket.getInputStream().transferTo(socket.getOutputStream());
                        }
                    } catch (IOException _) {
                        // The test is over.
                    } finally {
                        over.incrementAndGet();
                    }
                });
            } catch (IOException _) {
                return;
            }
        }
    }

    private TestSidecar callee(int appPort) throws IOException {
        var sidecar = new TestSidecar("payment-service", appPort, authority.svid("payment-service"));
        sidecar.config
                .put(Resources.LISTENER, "inbound", Given.inbound(appPort))
                .put(Resources.LISTENER, "outbound", Given.outboundAllowingAny())
                .put(Resources.CLUSTER, "inbound|" + appPort + "||", Given.inboundCluster(appPort));
        sidecar.follow();
        TestSidecar.eventually(
                "the app's cluster is known", () -> sidecar.plan().cluster("inbound|" + appPort + "||") != null);
        return sidecar;
    }
}
