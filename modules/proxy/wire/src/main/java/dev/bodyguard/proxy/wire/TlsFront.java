package dev.bodyguard.proxy.wire;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import org.jspecify.annotations.Nullable;

/// A connection of which mutual TLS is expected: plaintext is refused by its first byte, a handshake by what it proves.
@SuppressWarnings("FutureReturnValueIgnored") // how a write or a close ended is told by the channel
final class TlsFront extends ChannelInboundHandlerAdapter implements Swept.Item {
    private static final int HANDSHAKE_RECORD = 0x16;

    private final Front front;
    private final MeshTls tls;
    private final TunnelHandler bytes;
    private final long since = System.nanoTime();
    private @Nullable ChannelHandlerContext context;
    private @Nullable ByteBuf early;
    private boolean encrypted;

    /// @param bytes decides about connections that announce bytes that are no HTTP
    TlsFront(Front front, MeshTls tls, TunnelHandler bytes) {
        this.front = front;
        this.tls = tls;
        this.bytes = bytes;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
        front.loop.swept().add(this);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        front.loop.swept().remove(this);
        if (early != null) {
            early.release();
            early = null;
        }
    }

    @Override
    public void sweep(long now) {
        if (!encrypted
                && context != null
                && now - since > front.shared.limits().handshake().toNanos()) {
            front.shared.events().handshakeFailed(front.peer(), "no TLS handshake was begun in time");
            context.close();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        var bytes = (ByteBuf) message;
        if (encrypted) {
            // Decrypted bytes can arrive in the same read as the end of the handshake, before its event.
            early = early == null ? bytes : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(ctx.alloc(), early, bytes);
            return;
        }
        if (bytes.getUnsignedByte(bytes.readerIndex()) != HANDSHAKE_RECORD) {
            front.shared
                    .events()
                    .plaintextRefused(
                            front.peer(),
                            Sniffer.described(bytes)
                                    + " on a port that accepts mutual TLS only (STRICT): let the caller go through its"
                                    + " own sidecar");
            bytes.release();
            ctx.close();
            return;
        }
        encrypted = true;
        var handler = tls.server().newHandler(ctx.alloc());
        handler.setHandshakeTimeoutMillis(front.shared.limits().handshake().toMillis());
        ctx.pipeline().addFirst(handler);
        ctx.pipeline().fireChannelRead(bytes);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
        if (!(event instanceof SslHandshakeCompletionEvent handshake)) {
            super.userEventTriggered(ctx, event);
            return;
        }
        if (!handshake.isSuccess()) {
            front.shared.events().handshakeFailed(front.peer(), MeshTls.sentence(handshake.cause()));
            ctx.close();
            return;
        }
        var ssl = ctx.pipeline().get(SslHandler.class);
        front.identified(MeshTls.peerOf(ssl.engine().getSession()));
        var rest = early;
        early = null;
        if ("h2".equals(ssl.applicationProtocol())) {
            become(ctx, new Http2Server(front).handler, rest);
        } else if (MeshTls.BYTES.equals(ssl.applicationProtocol())) {
            become(ctx, Sniffer.ofBytes(front, bytes), rest);
        } else {
            become(ctx, new Http1Server(front), rest);
        }
    }

    private void become(
            ChannelHandlerContext ctx, io.netty.channel.ChannelInboundHandler protocol, @Nullable ByteBuf rest)
            throws Exception {
        var pipeline = ctx.pipeline();
        pipeline.replace(this, null, protocol);
        if (rest != null) {
            protocol.channelRead(pipeline.context(protocol), rest);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        // A failed handshake was told by its own event.
        ctx.close();
    }
}
