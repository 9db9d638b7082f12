package dev.bodyguard.proxy.wire;

import dev.bodyguard.identity.authority.Authority;
import dev.bodyguard.identity.authority.Root;
import dev.bodyguard.identity.authority.RootStore;
import dev.bodyguard.identity.authority.ServerNames;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.proxy.engine.Transport;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.handler.ssl.SslProvider;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/// Loops, an authority, listeners and what they heard; closed together.
final class Rig implements AutoCloseable, ListenerEvents {
    static final Duration CONNECT = Duration.ofSeconds(5);

    private final Limits limits;
    final Loops loops;
    final Authority authority = authority();
    final LinkedBlockingQueue<String> heard = new LinkedBlockingQueue<>();
    final List<Listener> listeners = new ArrayList<>();
    final MeshTls checkout;
    final MeshTls payments;
    final Upstreams upstreams;

    Rig() {
        this(Limits.DEFAULTS);
    }

    /// As this machine does it best.
    Rig(Limits limits) {
        this(limits, Loops.start(1), svid -> new MeshTls(svid, InstantSource.system()));
    }

    private Rig(Limits limits, Loops loops, Function<Svid, MeshTls> tls) {
        this.limits = limits;
        this.loops = loops;
        this.checkout = tls.apply(svid("checkout"));
        this.payments = tls.apply(svid("payments"));
        this.upstreams = Upstreams.on(loops, limits, checkout);
    }

    /// As on a machine for which there are no native libraries.
    static Rig withoutNatives() {
        return new Rig(
                Limits.DEFAULTS,
                Loops.start(1, false),
                svid -> new MeshTls(svid, InstantSource.system(), SslProvider.JDK));
    }

    static InetSocketAddress anyPort() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    Listener outbound(RequestHandler handler) throws IOException {
        return outbound(handler, tunnel -> new TunnelListener() {});
    }

    Listener outbound(RequestHandler handler, TunnelHandler tunnels) throws IOException {
        var listener = Listener.outbound(loops, anyPort(), limits, hearing(handler), tunnels, this);
        listeners.add(listener);
        return listener;
    }

    Listener inbound(RequestHandler handler) throws IOException {
        return inbound(handler, tunnel -> new TunnelListener() {});
    }

    Listener inbound(RequestHandler handler, TunnelHandler tunnels) throws IOException {
        var listener = Listener.inbound(
                loops,
                anyPort(),
                limits,
                payments,
                _ -> new Admittance.Speech.MutualTls(null),
                hearing(handler),
                tunnels,
                this);
        listeners.add(listener);
        return listener;
    }

    /// Also hears of what could not be read.
    private RequestHandler hearing(RequestHandler handler) {
        return new RequestHandler() {
            @Override
            public RequestListener begin(Exchange exchange) {
                return handler.begin(exchange);
            }

            @Override
            public void unread(Unread what) {
                heard.add("unread: "
                        + (what.version() == null ? "-" : what.version().text()) + " '" + what.method() + " "
                        + what.target() + "' " + what.status() + " " + what.sentence());
            }
        };
    }

    Relay relay(Target target) {
        return new Relay(upstreams, _ -> target, heard);
    }

    Target plain(Listener listener) {
        return plain(listener.address());
    }

    static Target plain(InetSocketAddress address) {
        return new Target(address, new Transport.Plaintext(false), CONNECT);
    }

    Target h2c(Listener listener) {
        return h2c(listener.address());
    }

    static Target h2c(InetSocketAddress address) {
        return new Target(address, new Transport.Plaintext(true), CONNECT);
    }

    Target mtls(Listener listener, String... names) {
        var ids = new java.util.HashSet<String>();
        for (var name : names) {
            ids.add(id(name).toString());
        }
        return new Target(
                listener.address(), new Transport.Mtls(Set.copyOf(ids), "payments.example", List.of("h2")), CONNECT);
    }

    /// An application that answers with what it was sent.
    static RequestHandler echo() {
        return exchange -> {
            boolean head = exchange.request().method().equals("HEAD");
            var says = Fields.of(
                    "x-path",
                    exchange.request().path(),
                    "x-version",
                    exchange.request().version().text());
            exchange.request().fields().forEach((name, value) -> {
                if (!name.equals("content-length")) {
                    says.add("x-got-" + name, value);
                }
            });
            if (exchange.bodyless()) {
                exchange.head(Response.of(200, says), head);
                if (!head) {
                    exchange.data(text("hello " + exchange.request().authority()), true);
                }
            } else {
                exchange.head(Response.of(200, says), false);
            }
            return new RequestListener() {
                @Override
                public void onData(ByteBuf chunk, boolean last) {
                    exchange.data(chunk, last);
                    if (!last && !exchange.isWritable()) {
                        exchange.pause();
                    }
                }

                @Override
                public void onTrailers(Fields trailers) {
                    exchange.trailers(trailers);
                }

                @Override
                public void onReset(Reset reason) {}

                @Override
                public void onWritable() {
                    exchange.resume();
                }
            };
        };
    }

    static ByteBuf text(String text) {
        return Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
    }

    /// Sends bytes and returns everything until the connection ends, which the request asks for.
    static String call(Listener listener, String request) throws IOException {
        try (var socket = socket(listener)) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        }
    }

    static Socket socket(Listener listener) throws IOException {
        var socket =
                new Socket(listener.address().getAddress(), listener.address().getPort());
        socket.setSoTimeout(30_000);
        return socket;
    }

    /// Whose kernel takes little of what is not read: an answer waits at its sender soon.
    static Socket socketOfLittleRoom(Listener listener) throws IOException {
        var socket = new Socket();
        socket.setReceiveBufferSize(1024);
        socket.connect(listener.address());
        socket.setSoTimeout(30_000);
        return socket;
    }

    static String readUntil(InputStream in, String end) throws IOException {
        var bytes = new ByteArrayOutputStream();
        while (!bytes.toString(StandardCharsets.ISO_8859_1).endsWith(end)) {
            int b = in.read();
            if (b < 0) {
                break;
            }
            bytes.write(b);
        }
        return bytes.toString(StandardCharsets.ISO_8859_1);
    }

    /// Waits for something heard that contains `part`.
    String hears(String part) throws InterruptedException {
        var seen = new ArrayList<String>();
        for (var line = heard.poll(30, TimeUnit.SECONDS); line != null; line = heard.poll(30, TimeUnit.SECONDS)) {
            if (line.contains(part)) {
                return line;
            }
            seen.add(line);
        }
        throw new AssertionError("never heard of '" + part + "', only " + seen);
    }

    /// Waits until `holds`, as seen from a loop.
    void until(BooleanSupplier holds) {
        var held = new CompletableFuture<Void>();
        loops.all().getFirst().execute(new Runnable() {
            @Override
            public void run() {
                if (holds.getAsBoolean()) {
                    held.complete(null);
                } else {
                    loops.all().getFirst().after(Duration.ofMillis(5), this);
                }
            }
        });
        held.orTimeout(30, TimeUnit.SECONDS).join();
    }

    /// Once closed: whatever buffer was taken was given back.
    void leaksNothing() throws InterruptedException {
        var arenas = ((PooledByteBufAllocator) loops.allocator()).metric().directArenas();
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (arenas.stream().anyMatch(arena -> arena.numActiveAllocations() > 0)) {
            if (System.nanoTime() > end) {
                throw new AssertionError("buffers that nobody has given back: " + arenas);
            }
            Thread.sleep(5);
        }
    }

    Svid svid(String name) {
        try {
            return authority.issue(id(name), Duration.ofHours(1), ServerNames.NONE);
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    static SpiffeId id(String name) {
        return SpiffeId.ofServiceAccount("cluster.local", "default", name);
    }

    static Authority authority() {
        var kept = new AtomicReference<Root>();
        try {
            return Authority.open(
                    "cluster.local",
                    new RootStore() {
                        @Override
                        public Optional<Root> load() {
                            return Optional.ofNullable(kept.get());
                        }

                        @Override
                        public void keep(Root root) {
                            kept.set(root);
                        }
                    },
                    Authority.Lifetimes.DAY,
                    _ -> {},
                    InstantSource.system(),
                    new SecureRandom());
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    @Override
    public void handshakeFailed(SocketAddress peer, String reason) {
        heard.add("handshake: " + reason);
    }

    @Override
    public void plaintextRefused(SocketAddress peer, String reason) {
        heard.add("plaintext: " + reason);
    }

    @Override
    public void captureRefused(SocketAddress peer, String reason) {
        heard.add("capture: " + reason);
    }

    @Override
    public void overflowed(SocketAddress peer, String reason) {
        heard.add("overflow: " + reason);
    }

    @Override
    public void malformed(SocketAddress peer, String reason) {
        heard.add("malformed: " + reason);
    }

    @Override
    public void close() {
        listeners.forEach(Listener::close);
        loops.close();
    }
}
