package dev.bodyguard.proxy.wire;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ServerChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// An open port and the connections that came through it.
@SuppressWarnings("FutureReturnValueIgnored") // how a write or a close ended is told by the channel
public final class Listener implements AutoCloseable {
    private static final int BACKLOG = 4096;

    private final Channel channel;
    private final Loops loops;
    private final Map<Channel, Front> open;
    private final Front.Draining draining;
    private final CompletableFuture<Void> drained = new CompletableFuture<>();

    private Listener(Channel channel, Loops loops, Map<Channel, Front> open, Front.Draining draining) {
        this.channel = channel;
        this.loops = loops;
        this.open = open;
        this.draining = draining;
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
        return bind(loops, address, limits, null, requests, tunnels, events);
    }

    /// A port for peers of the mesh: mutual TLS 1.3 with HTTP/2 or HTTP/1.1 inside, or, where the peer announces it by
    /// ALPN, bytes that are no HTTP.
    public static Listener inbound(
            Loops loops,
            InetSocketAddress address,
            Limits limits,
            MeshTls tls,
            RequestHandler requests,
            TunnelHandler tunnels,
            ListenerEvents events)
            throws IOException {
        return bind(loops, address, limits, tls, requests, tunnels, events);
    }

    private static Listener bind(
            Loops loops,
            InetSocketAddress address,
            Limits limits,
            @Nullable MeshTls tls,
            RequestHandler requests,
            TunnelHandler tunnels,
            ListenerEvents events)
            throws IOException {
        var open = new ConcurrentHashMap<Channel, Front>();
        var accepted = new AtomicInteger();
        var draining = new Front.Draining();
        var shared = new Front.Shared(loops, limits, requests, tls == null ? tunnels : null, events, draining);
        @SuppressWarnings("unchecked") // the factory makes server channels of the loops' own kind
        var factory = (io.netty.channel.ChannelFactory<ServerChannel>) loops.serverChannels();
        var bound = new ServerBootstrap()
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
                        if (tls != null) {
                            child.pipeline().addLast(new TlsFront(front, tls, tunnels));
                        } else {
                            child.pipeline().addLast(new Sniffer(front, null));
                        }
                    }
                })
                .bind(address)
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException(
                    "cannot listen on " + address.getHostString() + ":" + address.getPort() + ": "
                            + bound.cause().getMessage(),
                    bound.cause());
        }
        return new Listener(bound.channel(), loops, open, draining);
    }

    public InetSocketAddress address() {
        return (InetSocketAddress) channel.localAddress();
    }

    /// Connections that stand now.
    public int connections() {
        return open.size();
    }

    /// Accepts nobody any more, says GOAWAY or `Connection: close` to those who are there, and completes when they have
    /// their answers and went, or were cut off at the deadline.
    public CompletionStage<Void> drain(Duration deadline) {
        draining.now = true;
        channel.close().addListener(_ -> {
            open.forEach((child, front) -> child.eventLoop().execute(front::drain));
            var last = loops.all().getFirst();
            var cut = last.after(deadline, () -> open.keySet().forEach(Channel::close));
            awaitEmpty(last, cut);
        });
        return drained.minimalCompletionStage();
    }

    private void awaitEmpty(Loop loop, Loop.Timer cut) {
        if (open.isEmpty()) {
            cut.cancel();
            drained.complete(null);
        } else {
            loop.after(Duration.ofMillis(10), () -> awaitEmpty(loop, cut));
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
