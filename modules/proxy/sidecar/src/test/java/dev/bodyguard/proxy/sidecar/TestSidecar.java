package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.proxy.engine.Loads;
import dev.bodyguard.proxy.engine.Plan;
import dev.bodyguard.proxy.engine.Transport;
import dev.bodyguard.proxy.wire.Fields;
import dev.bodyguard.proxy.wire.Limits;
import dev.bodyguard.proxy.wire.Listener;
import dev.bodyguard.proxy.wire.ListenerEvents;
import dev.bodyguard.proxy.wire.Loops;
import dev.bodyguard.proxy.wire.MeshTls;
import dev.bodyguard.proxy.wire.Request;
import dev.bodyguard.proxy.wire.Reset;
import dev.bodyguard.proxy.wire.Target;
import dev.bodyguard.proxy.wire.Upstreams;
import dev.bodyguard.proxy.wire.Version;
import dev.bodyguard.telemetry.record.AccessLine;
import dev.bodyguard.telemetry.record.Exchange;
import dev.bodyguard.telemetry.record.Meters;
import dev.bodyguard.telemetry.record.Party;
import io.netty.buffer.Unpooled;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;

/// A sidecar without a process: real listeners, real TLS, paths and planner, fed by hand.
final class TestSidecar implements AutoCloseable {
    static final int PARKED = 16;
    /// For requests under way.
    static final int ROOM = 256 << 10;

    private final Loops loops = Loops.start(1);
    private final Meters meters = new Meters();
    private final ByteArrayOutputStream lines = new ByteArrayOutputStream();
    private final AccessLog<Exchange> accessLog = new AccessLog<>(lines, AccessLine::write);
    private final InForce<Generation> inForce = new InForce<>(new Generation(Plan.EMPTY));
    private final Readiness readiness = new Readiness();
    private final Resolver resolver = new Resolver();
    private final Room room = new Room(ROOM);
    private final Upstreams upstreams;
    private final Planner planner;
    private final Listener outbound;
    private final Listener inbound;
    /// What the sidecar takes for `System.nanoTime`, where it looks at that alone.
    final AtomicLong clock = new AtomicLong();

    /// What it takes for the time of day, as far as its app's silence is concerned.
    final AtomicReference<Instant> now = new AtomicReference<>(Instant.now());

    final AppSide app;
    final AtomicInteger doubts = new AtomicInteger();
    final FakeConfig config = new FakeConfig();
    final List<String> refusals = new CopyOnWriteArrayList<>();

    TestSidecar(String service, int appPort, Svid svid) throws IOException {
        var settings = switch (Settings.from(
                List.of("--service", service, "--version", "v2", "--app-port", "" + appPort, "--state", "/none"),
                Map.of())) {
            case Settings.Asked.Run(var asked) -> asked;
            case Settings.Asked.Help _, Settings.Asked.Mistake _ -> throw new AssertionError("settings");
        };
        var self = new Party(settings.workload(), "default", svid.id().toString(), service, "v2", service, "");
        var tls = new MeshTls(svid, InstantSource.system());
        var log = new SidecarLog(System.getLogger("test"), meters, new Outages(InstantSource.system()));
        var ledger = new Ledger(meters, List.of(accessLog::write), log::unread, room, InstantSource.system());
        var certificates = new Certificates(Path.of("/none"), refusals::add);
        var parking = new Parking(loops.all(), Duration.ofSeconds(1), PARKED);
        planner = new Planner(
                inForce,
                new Loads(clock::get, _ -> 0, log.ofEndpoints()),
                Duration.ofSeconds(2),
                new Planned(readiness, parking, List.of(appPort), certificates));
        upstreams = Upstreams.on(loops, Limits.DEFAULTS, tls);
        var port = new AtomicInteger();
        app = new AppSide.OnePort(
                appPort,
                doubts::incrementAndGet,
                new AppSilence("127.0.0.1:" + appPort, now::get, log.ofApp()),
                Optional::empty);
        var hosts = new Hosts(planner, Hosts.MOST);
        outbound = Listener.outbound(
                loops,
                loopback(),
                Limits.DEFAULTS,
                new OutboundPath(inForce, hosts, parking, upstreams, resolver, ledger, new Trail(0), self, port::get),
                new OutboundTunnels(inForce, hosts, parking, tls, resolver, ledger, log, self, port::get),
                log);
        port.set(outbound.address().getPort());
        inbound = Listener.inbound(
                loops,
                loopback(),
                Limits.DEFAULTS,
                tls,
                new Admitting(inForce, certificates).before(appPort),
                new InboundPath(
                        inForce,
                        settings,
                        svid.id(),
                        self,
                        upstreams,
                        resolver,
                        ledger,
                        new Trail(0),
                        app,
                        new AppSpeech(clock::get)),
                new InboundTunnels(inForce, settings, tls, resolver, ledger, log, self, app),
                new ListenerEvents() {
                    @Override
                    public void handshakeFailed(SocketAddress peer, String reason) {
                        refusals.add(reason);
                    }

                    @Override
                    public void plaintextRefused(SocketAddress peer, String reason) {
                        refusals.add("plaintext: " + reason);
                    }
                });
    }

    /// Begins to follow its configuration, which is complete enough to be ready.
    TestSidecar follow() {
        config.tell(planner);
        eventually(
                "the plan is there",
                () -> !inForce.get().plan().inboundPorts().isEmpty()
                        || !inForce.get().plan().fallback().equals(Plan.EMPTY.fallback()));
        return this;
    }

    int inboundPort() {
        return inbound.address().getPort();
    }

    int outboundPort() {
        return outbound.address().getPort();
    }

    Plan plan() {
        return inForce.get().plan();
    }

    String metrics() {
        return meters.text();
    }

    long underWay() {
        return room.taken();
    }

    long directMemory() {
        return loops.usedDirectMemory();
    }

    /// The only line, or the last one, once it has been written.
    String line(int number) {
        eventually("line " + number + " is written", () -> log().lines().count() >= number);
        return log().lines().skip(number - 1L).findFirst().orElseThrow();
    }

    int lines() {
        return (int) log().lines().count();
    }

    private String log() {
        return lines.toString(StandardCharsets.UTF_8);
    }

    /// As an app with HTTP_PROXY asks.
    Http1.Message get(String url) throws IOException {
        return ask("GET", url, "", "");
    }

    Http1.Message ask(String method, String url, String moreHeaders, String body) throws IOException {
        try (var socket = connect()) {
            socket.getOutputStream().write(head(method, url, moreHeaders, body.length()));
            socket.getOutputStream().write(body.getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().flush();
            return Http1.need(new BufferedInputStream(socket.getInputStream()), method.equals("HEAD"));
        }
    }

    /// As an app asks that speaks HTTP/2 to its sidecar by prior knowledge.
    Http2Answer http2(String method, String authority, String path, Fields fields, String body) {
        return http2(outbound.address(), new Transport.Plaintext(true), method, authority, path, fields, body);
    }

    /// As another proxy of the mesh asks, with this workload's certificate.
    Http2Answer straightTo(TestSidecar callee, String method, String path, Fields fields, String body) {
        var proven = new Transport.Mtls(
                Set.of("spiffe://cluster.local/ns/default/sa/payment-service"), "callee", List.of("h2"));
        return http2(callee.inbound.address(), proven, method, "callee", path, fields, body);
    }

    private Http2Answer http2(
            InetSocketAddress address,
            Transport transport,
            String method,
            String authority,
            String path,
            Fields fields,
            String body) {
        var answer = new Http2Answer();
        var to = new Target(address, transport, Duration.ofSeconds(5));
        var loop = loops.all().getFirst();
        loop.execute(() -> {
            var head = new Request(Version.HTTP_2, method, "http", authority, path, fields);
            var stream = upstreams.open(loop, to, head, body.isEmpty(), answer);
            if (!body.isEmpty()) {
                stream.data(Unpooled.copiedBuffer(body, StandardCharsets.US_ASCII), true);
            }
        });
        answer.await();
        return answer;
    }

    /// As often as said, asks and takes it back at once.
    void askInVain(int times, String authority) {
        var to = new Target(outbound.address(), new Transport.Plaintext(true), Duration.ofSeconds(5));
        var loop = loops.all().getFirst();
        loop.execute(() -> {
            for (int i = 0; i < times; i++) {
                var head = new Request(Version.HTTP_2, "GET", "http", authority, "/", new Fields());
                upstreams.open(loop, to, head, true, new Http2Answer()).cancel(Reset.CANCELLED);
            }
        });
    }

    static byte[] head(String method, String url, String moreHeaders, long length) {
        String host = url.substring("http://".length());
        host = host.substring(0, host.indexOf('/'));
        return (method + " " + url + " HTTP/1.1\r\nhost: " + host + "\r\n" + moreHeaders
                        + (length > 0 || method.equals("POST") ? "content-length: " + length + "\r\n" : "") + "\r\n")
                .getBytes(StandardCharsets.US_ASCII);
    }

    Socket connect() throws IOException {
        var socket = new Socket(InetAddress.getLoopbackAddress(), outboundPort());
        socket.setSoTimeout(30_000);
        return socket;
    }

    static void eventually(String what, BooleanSupplier condition) {
        long until = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(until);
            Thread.onSpinWait();
            try {
                Thread.sleep(2);
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static InetSocketAddress loopback() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    @Override
    public void close() {
        config.close();
        outbound.close();
        inbound.close();
        planner.close();
        resolver.close();
        loops.close();
        accessLog.close();
    }
}
