package dev.bodyguard.xds.server;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// At the listening socket: closes a connection too many as soon as it was accepted.
final class Doorkeeper extends ChannelInboundHandlerAdapter {
    private static final Duration BETWEEN_LINES = Duration.ofMinutes(1);

    private final Connections most;
    private final Consumer<String> full;

    // Guarded by this: connections are accepted on one thread and end on many. Addresses without any are not in it.
    private final Map<String, Integer> open = new HashMap<>();
    private int all;
    private long closed;
    private long toldAt = System.nanoTime() - BETWEEN_LINES.toNanos();

    /// @param full hears, at most once a minute, that connections were closed, and why
    Doorkeeper(Connections most, Consumer<String> full) {
        this.most = most;
        this.full = full;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object accepted) {
        if (!(accepted instanceof Channel connection)) {
            ReferenceCountUtil.release(accepted);
            return;
        }
        var from = host(connection.remoteAddress());
        if (!entered(from)) {
            connection.unsafe().closeForcibly();
            return;
        }
        connection.closeFuture().addListener(_ -> left(from));
        context.fireChannelRead(accepted);
    }

    private boolean entered(String from) {
        String line;
        synchronized (this) {
            int ofHost = open.getOrDefault(from, 0);
            if (all < most.all() && ofHost < most.perAddress()) {
                all++;
                open.put(from, ofHost + 1);
                return true;
            }
            closed++;
            if (System.nanoTime() - toldAt < BETWEEN_LINES.toNanos()) {
                return false;
            }
            toldAt = System.nanoTime();
            line = "closed a connection from " + from + " as soon as it was accepted: "
                    + (all >= most.all()
                            ? "there are " + most.all() + " already, the most that are held at once"
                            : "that host has " + most.perAddress() + " already, the most that one may have")
                    + "; " + closed + " closed so since the start";
        }
        full.accept(line);
        return false;
    }

    private synchronized void left(String from) {
        all--;
        open.computeIfPresent(from, (_, before) -> before > 1 ? before - 1 : null);
    }

    private static String host(@Nullable SocketAddress address) {
        return address instanceof InetSocketAddress socket && socket.getAddress() != null
                ? socket.getAddress().getHostAddress()
                : "an unknown address";
    }
}
