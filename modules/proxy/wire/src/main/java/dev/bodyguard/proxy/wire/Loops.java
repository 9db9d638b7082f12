package dev.bodyguard.proxy.wire;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// The event loops of a process: epoll where there is one, NIO otherwise.
public final class Loops implements AutoCloseable {
    /// How much may wait in a socket's buffer before its writer is told to stop, and when it may go on.
    static final WriteBufferWaterMark WATER = new WriteBufferWaterMark(32 << 10, 64 << 10);

    private static final int PAGE = 8192;
    /// Chunks of 8 KiB << 7 = 1 MiB: a sidecar at rest holds one per loop.
    private static final int CHUNK_ORDER = 7;

    private final boolean epoll;
    private final MultiThreadIoEventLoopGroup group;
    private final PooledByteBufAllocator allocator;
    private final List<Loop> all;
    private final IdentityHashMap<EventLoop, Loop> byEvents = new IdentityHashMap<>();
    private int next;

    private Loops(int count, boolean epoll) {
        this.epoll = epoll;
        group = new MultiThreadIoEventLoopGroup(
                count,
                new DefaultThreadFactory("wire", true),
                epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
        allocator = new PooledByteBufAllocator(true, 1, count, PAGE, CHUNK_ORDER, 64, 32, true);
        var loops = new ArrayList<Loop>(count);
        for (var executor : group) {
            var events = (EventLoop) executor;
            var loop = new Loop(events, Loop.seeded());
            loops.add(loop);
            byEvents.put(events, loop);
        }
        all = List.copyOf(loops);
    }

    /// Starts `count` loops; their threads begin with their first work.
    public static Loops start(int count) {
        return start(count, Epoll.isAvailable());
    }

    static Loops start(int count, boolean epoll) {
        if (count < 1) {
            throw new IllegalArgumentException("at least one event loop, got " + count);
        }
        return new Loops(count, epoll);
    }

    public List<Loop> all() {
        return all;
    }

    /// `epoll` or `nio`.
    public String transport() {
        return epoll ? "epoll" : "nio";
    }

    /// Direct memory that buffers hold now, pooled chunks counted whole.
    public long usedDirectMemory() {
        return allocator.metric().usedDirectMemory();
    }

    /// Ends the loops and whatever connections they still have.
    @Override
    public void close() {
        group.shutdownGracefully(0, Duration.ofSeconds(2).toMillis(), TimeUnit.MILLISECONDS)
                .awaitUninterruptibly(5, TimeUnit.SECONDS);
    }

    Loop of(Channel channel) {
        var loop = byEvents.get(channel.eventLoop());
        if (loop == null) {
            throw new IllegalStateException("a channel of other loops");
        }
        return loop;
    }

    synchronized Loop acceptor() {
        next = (next + 1) % all.size();
        return all.get(next);
    }

    MultiThreadIoEventLoopGroup group() {
        return group;
    }

    ByteBufAllocator allocator() {
        return allocator;
    }

    ChannelFactory<? extends ServerChannel> serverChannels() {
        return epoll ? EpollServerSocketChannel::new : NioServerSocketChannel::new;
    }

    /// Makes ready for connections of which the kernel is to be asked where they were meant for.
    void expectCaptured() throws IOException {
        if (!epoll) {
            throw new IOException(
                    "captured connections need Linux and Netty's epoll library: " + Epoll.unavailabilityCause());
        }
        OriginalDestination.warm();
    }

    /// What every connection that we open has in common.
    Bootstrap dialler(Loop loop, Target target) {
        ChannelFactory<Channel> sockets = epoll ? EpollSocketChannel::new : NioSocketChannel::new;
        var dialler = new Bootstrap()
                .group(loop.events())
                .channelFactory(sockets)
                .option(ChannelOption.ALLOCATOR, allocator)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int)
                        target.connectTimeout().toMillis())
                .remoteAddress(target.address());
        if (target.from() != null) {
            dialler.localAddress(new InetSocketAddress(target.from(), 0));
            if (epoll) {
                // One port may serve many destinations.
                dialler.option(EpollChannelOption.IP_BIND_ADDRESS_NO_PORT, true);
            }
        }
        return dialler;
    }
}
