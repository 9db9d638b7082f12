package dev.bodyguard.proxy.wire;

import dev.bodyguard.proxy.engine.Transport;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;

/// The pools of all loops; what is in one is touched by its loop only.
@SuppressWarnings("FutureReturnValueIgnored") // how a write or a close ended is told by the channel
final class Pools implements Upstreams {
    private final Loops loops;
    private final Limits limits;
    private final MeshTls tls;
    private final IdentityHashMap<Loop, Map<Target, Pool>> byLoop = new IdentityHashMap<>();

    /// Connections of one loop to one target.
    interface Pool {
        UpstreamStream open(Request head, boolean last, ResponseListener listener);
    }

    Pools(Loops loops, Limits limits, MeshTls tls) {
        this.loops = loops;
        this.limits = limits;
        this.tls = tls;
        for (var loop : loops.all()) {
            byLoop.put(loop, new HashMap<>());
        }
    }

    @Override
    public UpstreamStream open(Loop loop, Target target, Request head, boolean last, ResponseListener listener) {
        var pools = byLoop.get(loop);
        if (pools == null) {
            throw new IllegalArgumentException("a loop of others");
        }
        var pool = pools.get(target);
        if (pool == null) {
            pool = switch (target.transport()) {
                case Transport.Mtls _ -> new Http2Pool(this, loop, target);
                case Transport.Plaintext(boolean http2) ->
                    http2 ? new Http2Pool(this, loop, target) : new Http1Pool(this, loop, target);
            };
            pools.put(target, pool);
        }
        return pool.open(head, last, listener);
    }

    Limits limits() {
        return limits;
    }

    MeshTls tls() {
        return tls;
    }

    /// A pool that holds nothing any more: endpoints come and go.
    void forget(Loop loop, Target target, Pool pool) {
        var pools = byLoop.get(loop);
        if (pools != null) {
            pools.remove(target, pool);
        }
    }

    ChannelFuture connect(Loop loop, Target target, ChannelInitializer<Channel> pipeline) {
        return loops.dialler(loop, target).handler(pipeline).connect();
    }
}
