package dev.bodyguard.proxy.wire;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import org.jspecify.annotations.Nullable;

/// A connection, or what a peer's sidecar brings as bytes, whose TLS means the app and ends here: anything else is
/// refused. What is in it goes on as if it had come so, by whoever was known to have sent it.
@SuppressWarnings("FutureReturnValueIgnored") // how a write or a close ended is told by the channel
final class AppTlsFront extends Reader implements Swept.Item {
    private final Front front;
    private final AppTls tls;
    private final TunnelHandler bytes;
    private final long since = System.nanoTime();
    private boolean encrypted;
    /// What the client said first; null where that did not come in one piece.
    private @Nullable ClientHello hello;

    /// @param bytes decides about what turns out to be no HTTP inside
    AppTlsFront(Front front, AppTls tls, TunnelHandler bytes) {
        this.front = front;
        this.tls = tls;
        this.bytes = bytes;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        super.handlerAdded(ctx);
        front.loop.swept().add(this);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        front.loop.swept().remove(this);
        forget();
    }

    @Override
    public void sweep(long now) {
        if (!encrypted && now - since > front.shared.limits().handshake().toNanos()) {
            front.shared.events().handshakeFailed(front.peer(), "no TLS handshake was begun in time");
            ctx().close();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
        var read = (ByteBuf) message;
        if (encrypted) {
            // Decrypted bytes can arrive in the same read as the end of the handshake, before its event.
            keep(read);
            return;
        }
        if (read.getUnsignedByte(read.readerIndex()) != ClientHello.HANDSHAKE_RECORD) {
            front.shared
                    .events()
                    .plaintextRefused(
                            front.peer(),
                            Sniffer.described(read)
                                    + " on a port whose TLS ends here (Sidecar.ingress): call it by https");
            read.release();
            ctx.close();
            return;
        }
        encrypted = true;
        hello = ClientHello.read(read) instanceof ClientHello.Reading.Hello(var whole) ? whole : null;
        var handler = tls.handler(ctx.alloc());
        handler.setHandshakeTimeoutMillis(front.shared.limits().handshake().toMillis());
        // Below this one, but above the mesh's own TLS where there is that too.
        ctx.pipeline().addBefore(ctx.name(), null, handler);
        handler.channelRead(ctx.pipeline().context(handler), read);
        handler.channelReadComplete(ctx.pipeline().context(handler));
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
        if (!(event instanceof SslHandshakeCompletionEvent handshake)) {
            super.userEventTriggered(ctx, event);
            return;
        }
        if (!handshake.isSuccess()) {
            front.shared
                    .events()
                    .handshakeFailed(
                            front.peer(),
                            MeshTls.sentence(
                                    handshake.cause(),
                                    hello,
                                    ClientHello.TLS_1_2,
                                    "this port, whose TLS ends here (Sidecar.ingress), takes TLS 1.2 and 1.3: bring the caller's"
                                            + " TLS library up to date"));
            ctx.close();
            return;
        }
        handOver(Sniffer.ofCaptured(front, bytes, null, null));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        // A failed handshake was told by its own event.
        ctx.close();
    }
}
