package dev.bodyguard.proxy.wire;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.EpollChannelOption;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// An open port and the connections that came through it.
@SuppressWarnings("FutureReturnValueIgnored") // how a write or a close ended is told by the channel
public final class Listener implements AutoCloseable {
    private static final int BACKLOG = 4096;
    /// For handshakes that have begun when a drain begins: a round trip, as it is within a cluster.
    private static final Duration FOR_HANDSHAKES = Duration.ofMillis(50);

    /// Between two looks whether all are accepted to whom the kernel has said that they are.
    private static final Duration LOOK = Duration.ofMillis(10);

    /// For clients that are connected and silent while a listener drains: one that has just come sends its first
    /// request at once, one that calls often its next. Longer than that nobody waits for who may have nothing to
    /// say.
    static final Duration FOR_ONE_MORE_REQUEST = Duration.ofSeconds(1);

    private final Channel channel;
    private final Loops loops;
    private final Map<Channel, Front> open;
    private final Front.Draining draining;
    private final AtomicBoolean used;
    private final CompletableFuture<Integer> drained = new CompletableFuture<>();

    private Listener(
            Channel channel, Loops loops, Map<Channel, Front> open, Front.Draining draining, AtomicBoolean used) {
        this.channel = channel;
        this.loops = loops;
        this.open = open;
        this.draining = draining;
        this.used = used;
    }

    /// A plaintext port for the workload's own calls: HTTP/1 (absolute-form, CONNECT, Host) and HTTP/2 with prior
    /// knowledge, told apart by their first bytes, outside and inside of a CONNECT.
    public static Listener outbound(
            Loops loops,
            InetSocketAddress address,
            Limits limits,
            RequestHandler requests,
            TunnelHandler tunnels,
            ListenerEvents events)
            throws IOException {
        return bind(
                address, shared(loops, limits, requests, tunnels, events), front -> new Sniffer(front, null), false);
    }

    /// A port for peers of the mesh: mutual TLS 1.3 with HTTP/2 or HTTP/1.1 inside, or, where the peer announces it by
    /// ALPN, bytes that are no HTTP; and for others, as far as they are admitted.
    public static Listener inbound(
            Loops loops,
            InetSocketAddress address,
            Limits limits,
            MeshTls tls,
            Admittance admittance,
            RequestHandler requests,
            TunnelHandler tunnels,
            ListenerEvents events)
            throws IOException {
        return bind(
                address,
                shared(loops, limits, requests, null, events),
                front -> admitted(front, admittance.of(address), tls, tunnels),
                false);
    }

    /// A port to which the kernel hands what the workload calls: HTTP/1 and HTTP/2 with prior knowledge, told
    /// from anything else by its first bytes. Where a connection was meant for is asked of the kernel; one that was
    /// meant for this port is closed.
    ///
    /// @param address of any kind: what is captured comes to addresses of every device
    public static Listener capturedOutbound(
            Loops loops,
            InetSocketAddress address,
            Limits limits,
            RequestHandler requests,
            TunnelHandler tunnels,
            ListenerEvents events)
            throws IOException {
        loops.expectCaptured();
        return bind(
                address,
                shared(loops, limits, requests, null, events),
                new Captured((front, _) -> Sniffer.ofCaptured(front, tunnels, null, null)),
                false);
    }

    /// A port to which the kernel hands what calls the workload, on all its ports; what each of them may speak is
    /// decided for every connection.
    ///
    public static Listener capturedInbound(
            Loops loops,
            InetSocketAddress address,
            Interception interception,
            Limits limits,
            MeshTls tls,
            Admittance admittance,
            RequestHandler requests,
            TunnelHandler tunnels,
            ListenerEvents events)
            throws IOException {
        loops.expectCaptured();
        return bind(
                address,
                shared(loops, limits, requests, null, events),
                new Captured((front, meant) -> admitted(front, admittance.of(meant), tls, tunnels)),
                interception == Interception.TPROXY);
    }

    private static @Nullable ChannelHandler admitted(
            Front front, Admittance.Speech speech, MeshTls tls, TunnelHandler tunnels) {
        return switch (speech) {
            case Admittance.Speech.MutualTls(var inside) -> new TlsFront(front, tls, tunnels, inside);
            case Admittance.Speech.Anything(var announced) ->
                Sniffer.ofCaptured(front, tunnels, new Sniffer.Peers(tls, announced), null);
            case Admittance.Speech.Plaintext _ -> Sniffer.ofCaptured(front, tunnels, null, null);
            case Admittance.Speech.EndedTls(var own, var announced) ->
                announced.isEmpty()
                        ? new AppTlsFront(front, own, tunnels)
                        : Sniffer.ofCaptured(front, tunnels, new Sniffer.Peers(tls, announced), own);
            case Admittance.Speech.Nothing(var sentence) -> {
                front.shared.events().captureRefused(front.peer(), sentence);
                yield null;
            }
        };
    }

    static Front.Shared shared(
            Loops loops,
            Limits limits,
            RequestHandler requests,
            @Nullable TunnelHandler tunnels,
            ListenerEvents events) {
        return new Front.Shared(loops, limits, requests, tunnels, events, new Front.Draining());
    }

    /// What reads a connection first.
    @FunctionalInterface
    interface Beginning {
        /// Null where the connection is to be closed.
        @Nullable
        ChannelHandler of(Front front);
    }

    static Listener bind(InetSocketAddress address, Front.Shared shared, Beginning beginning, boolean transparent)
            throws IOException {
        var open = new ConcurrentHashMap<Channel, Front>();
        var accepted = new AtomicInteger();
        var used = new AtomicBoolean();
        var loops = shared.loops();
        var limits = shared.limits();
        var events = shared.events();
        @SuppressWarnings("unchecked") // the factory makes server channels of the loops' own kind
        var factory = (io.netty.channel.ChannelFactory<ServerChannel>) loops.serverChannels();
        var bootstrap = new ServerBootstrap()
                .group(loops.acceptor().events(), loops.group())
                .channelFactory(factory)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.ALLOCATOR, loops.allocator())
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, Loops.WATER)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel child) {
                        var front = new Front(child, loops.of(child), shared);
                        open.put(child, front);
                        used.setPlain(true);
                        int standing = accepted.incrementAndGet();
                        child.closeFuture().addListener(_ -> {
                            open.remove(child);
                            accepted.decrementAndGet();
                        });
                        if (standing > limits.accepted()) {
                            events.overflowed(
                                    front.peer(),
                                    "the listener has " + limits.accepted()
                                            + " connections already, which is its limit");
                            child.close();
                            return;
                        }
                        var reader = beginning.of(front);
                        if (reader == null) {
                            child.close();
                        } else {
                            child.pipeline().addLast(reader);
                        }
                    }
                });
        if (transparent) {
            bootstrap.option(EpollChannelOption.IP_TRANSPARENT, true);
        }
        var bound = bootstrap.bind(address).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException(
                    "cannot listen on " + address.getHostString() + ":" + address.getPort() + ": "
                            + bound.cause().getMessage(),
                    bound.cause());
        }
        return new Listener(bound.channel(), loops, open, shared.draining(), used);
    }

    public InetSocketAddress address() {
        return (InetSocketAddress) channel.localAddress();
    }

    /// Whether anybody has come yet.
    public boolean wasUsed() {
        return used.get();
    }

    /// Connections that stand now.
    public int connections() {
        return open.size();
    }

    /// Accepts nobody any more, says GOAWAY or `Connection: close` to those who are there, whether they have asked
    /// already or are about to, and completes when they have their answers and went, or were cut off at the
    /// deadline.
    ///
    /// @return how many were cut off
    public CompletionStage<Integer> drain(Duration deadline) {
        draining.now = true;
        Newcomers.turnAway(channel);
        each(Front::drain);
        var last = loops.all().getFirst();
        channel.eventLoop().schedule(this::closeOnceAllAreAccepted, FOR_HANDSHAKES.toMillis(), TimeUnit.MILLISECONDS);
        var cut = new AtomicInteger();
        var end = last.after(deadline, () -> {
            int waiting = Newcomers.waiting(channel);
            channel.close().addListener(_ -> {
                cut.set(open.size() + waiting);
                open.keySet().forEach(Channel::close);
            });
        });
        channel.closeFuture().addListener(_ -> {
            last.after(FOR_ONE_MORE_REQUEST, () -> each(Front::endIdle));
            onceRegistered(() -> awaitEmpty(last, end, cut));
        });
        return drained.minimalCompletionStage();
    }

    /// A loop accepts a few in a round, and what waits longer than that is reset by a close: on a machine that gives
    /// this process no time, any number may wait.
    private void closeOnceAllAreAccepted() {
        if (Newcomers.waiting(channel) == 0) {
            channel.close();
        } else {
            channel.eventLoop().schedule(this::closeOnceAllAreAccepted, LOOK.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    /// Who was accepted last, on one loop, waits for another loop to enter it here.
    private void onceRegistered(Runnable then) {
        var loopsLeft = new AtomicInteger(loops.all().size());
        loops.all()
                .forEach(loop -> loop.execute(() -> {
                    if (loopsLeft.decrementAndGet() == 0) {
                        then.run();
                    }
                }));
    }

    private void each(Consumer<Front> step) {
        open.forEach((child, front) -> child.eventLoop().execute(() -> step.accept(front)));
    }

    private void awaitEmpty(Loop loop, Loop.Timer end, AtomicInteger cut) {
        if (open.isEmpty()) {
            end.cancel();
            drained.complete(cut.get());
        } else {
            loop.after(Duration.ofMillis(10), () -> awaitEmpty(loop, end, cut));
        }
    }

    /// Closes the port and every connection at once.
    @Override
    public void close() {
        draining.now = true;
        channel.close().awaitUninterruptibly();
        open.keySet().forEach(Channel::close);
    }
}
