package dev.bodyguard.proxy.wire;

import io.netty.channel.ChannelHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/// Connections that the kernel hands over: begins each with where it was meant for. Whoever calls the listener itself
/// is turned away; going there would be a loop.
final class Captured implements Listener.Beginning {
    private final Meant then;

    /// What reads a connection of which the destination is known.
    @FunctionalInterface
    interface Meant {
        /// Null where the connection is to be closed.
        @Nullable
        ChannelHandler of(Front front, InetSocketAddress meant);
    }

    Captured(Meant then) {
        this.then = then;
    }

    @Override
    public @Nullable ChannelHandler of(Front front) {
        var events = front.shared.events();
        try {
            var accepted = (EpollSocketChannel) front.channel;
            int port = accepted.parent().localAddress().getPort();
            var meant = OriginalDestination.of(accepted, port);
            if (meant == null) {
                events.captureRefused(
                        front.peer(),
                        "it was meant for this proxy's own port " + port
                                + ", which takes only what the kernel hands over: call the service instead");
                return null;
            }
            front.captured(meant);
            return then.of(front, meant);
        } catch (IOException gone) {
            events.captureRefused(front.peer(), "where it was meant for cannot be found out: " + gone.getMessage());
            return null;
        }
    }
}
