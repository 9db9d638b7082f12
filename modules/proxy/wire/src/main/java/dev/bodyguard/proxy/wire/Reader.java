package dev.bodyguard.proxy.wire;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandler;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.ByteToMessageDecoder;
import org.jspecify.annotations.Nullable;

/// A handler that reads at its own pace: bytes that came and were not read wait in it, and go on to whoever takes its
/// place.
abstract class Reader extends ChannelInboundHandlerAdapter {
    private @Nullable ChannelHandlerContext context;

    /// Owned; null where nothing waits.
    @Nullable
    ByteBuf unread;

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
    }

    final ChannelHandlerContext ctx() {
        var ctx = context;
        if (ctx == null) {
            throw new IllegalStateException("not in a pipeline");
        }
        return ctx;
    }

    /// Takes over `bytes`, behind those that wait.
    final void keep(ByteBuf bytes) {
        unread = unread == null ? bytes : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(ctx().alloc(), unread, bytes);
    }

    final void forget() {
        if (unread != null) {
            unread.release();
            unread = null;
        }
    }

    /// Puts `next` in this handler's place, where it reads on.
    final void handOver(ChannelInboundHandler next) {
        var pipeline = ctx().pipeline();
        var rest = unread;
        unread = null;
        pipeline.replace(this, null, next);
        if (rest == null || !rest.isReadable()) {
            if (rest != null) {
                rest.release();
            }
            return;
        }
        try {
            next.channelRead(pipeline.context(next), rest);
            // Its first message may have been a CONNECT, which put another protocol in its place.
            var still = pipeline.context(next);
            if (still != null) {
                next.channelReadComplete(still);
            }
        } catch (Exception broken) {
            pipeline.fireExceptionCaught(broken);
        }
    }
}
