package dev.bodyguard.proxy.wire;

import dev.bodyguard.identity.spiffe.SpiffeId;
import io.netty.channel.Channel;
import io.netty.util.NetUtil;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// One accepted connection: its facts, and what all protocols on it share.
@SuppressWarnings("FutureReturnValueIgnored") // how a write or a close ended is told by the channel
final class Front implements Connection {
    final Channel channel;
    final Loop loop;
    final Shared shared;
    private final SocketAddress peer;
    private final SocketAddress local;
    private @Nullable SpiffeId peerId;
    private @Nullable String originalDestination;
    private @Nullable InetSocketAddress captured;
    private @Nullable Speaker speaker;

    /// For a tunnel within a connection; another one within that is not granted, so that they do not pile up.
    static Front within(Front outer, Channel stream) {
        var shared = outer.shared;
        var front = new Front(
                stream,
                outer.loop,
                new Shared(
                        shared.loops(), shared.limits(), shared.requests(), null, shared.events(), shared.draining()));
        front.peerId = outer.peerId;
        front.captured = outer.captured;
        return front;
    }

    /// What every connection of a listener shares.
    ///
    /// @param tunnels null where a listener grants no CONNECT
    record Shared(
            Loops loops,
            Limits limits,
            RequestHandler requests,
            @Nullable TunnelHandler tunnels,
            ListenerEvents events,
            Draining draining) {}

    /// Whether the listener is on its way out.
    static final class Draining {
        volatile boolean now;
    }

    /// The protocol that a connection speaks now.
    interface Speaker {
        /// The listener goes: the next answer is the last one, and says so.
        void drain();

        /// Whoever was to send one more request has had the time for it: close, unless one is under way.
        void endIdle();
    }

    Front(Channel channel, Loop loop, Shared shared) {
        this.channel = channel;
        this.loop = loop;
        this.shared = shared;
        this.peer = Objects.requireNonNullElse(channel.remoteAddress(), channel.localAddress());
        this.local = channel.localAddress();
    }

    @Override
    public SocketAddress peer() {
        return peer;
    }

    @Override
    public SocketAddress local() {
        return local;
    }

    @Override
    public @Nullable SpiffeId peerId() {
        return peerId;
    }

    @Override
    public @Nullable String originalDestination() {
        return originalDestination;
    }

    @Override
    public @Nullable InetSocketAddress captured() {
        return captured;
    }

    void captured(InetSocketAddress meant) {
        captured = meant;
        meantFor(NetUtil.toSocketAddressString(meant));
    }

    void identified(@Nullable SpiffeId id) {
        peerId = id;
    }

    void meantFor(String destination) {
        originalDestination = destination;
    }

    void speaks(Speaker now) {
        speaker = now;
        if (shared.draining().now) {
            now.drain();
        }
    }

    /// On the connection's loop. A client that has not yet said what it speaks is asked when it has.
    void drain() {
        if (speaker != null) {
            speaker.drain();
        }
    }

    /// On the connection's loop.
    void endIdle() {
        if (speaker == null) {
            channel.close();
        } else {
            speaker.endIdle();
        }
    }
}
