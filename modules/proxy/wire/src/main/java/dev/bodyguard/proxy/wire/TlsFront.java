package dev.bodyguard.proxy.wire;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import org.jspecify.annotations.Nullable;

/// A connection of which mutual TLS is expected: plaintext is refused by its first byte, a handshake by what it proves.
@SuppressWarnings("FutureReturnValueIgnored") // how a write or a close ended is told by the channel
final class TlsFront extends Reader implements Swept.Item {
    private final Front front;
    private final MeshTls tls;
    private final TunnelHandler bytes;
    private final @Nullable AppTls inside;
    private final long since = System.nanoTime();
    private boolean encrypted;
    /// What the client said first; null where that did not come in one piece.
    private @Nullable ClientHello hello;

    /// @param bytes decides about connections that announce bytes that are no HTTP
    /// @param inside by which the TLS ends that such bytes are; null where they are but bytes
    TlsFront(Front front, MeshTls tls, TunnelHandler bytes, @Nullable AppTls inside) {
        this.front = front;
        this.tls = tls;
        this.bytes = bytes;
        this.inside = inside;
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
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        var bytes = (ByteBuf) message;
        if (encrypted) {
            // Decrypted bytes can arrive in the same read as the end of the handshake, before its event.
            keep(bytes);
            return;
        }
        if (bytes.getUnsignedByte(bytes.readerIndex()) != ClientHello.HANDSHAKE_RECORD) {
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
        hello = ClientHello.read(bytes) instanceof ClientHello.Reading.Hello(var whole) ? whole : null;
        var handler = tls.server(ctx.alloc());
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
            front.shared
                    .events()
                    .handshakeFailed(
                            front.peer(),
                            MeshTls.sentence(
                                    handshake.cause(),
                                    hello,
                                    ClientHello.TLS_1_3,
                                    "the mesh speaks TLS 1.3 only: let the caller go through its own sidecar, or bring its TLS"
                                            + " library up to date"));
            ctx.close();
            return;
        }
        var ssl = ctx.pipeline().get(SslHandler.class);
        front.identified(MeshTls.peerOf(ssl.engine().getSession()));
        handOver(
                switch (String.valueOf(ssl.applicationProtocol())) {
                    case "h2" -> new Http2Server(front).handler;
                    case MeshTls.BYTES ->
                        inside == null ? Sniffer.ofBytes(front, bytes) : new AppTlsFront(front, inside, bytes);
                    default -> new Http1Server(front);
                });
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        // A failed handshake was told by its own event.
        ctx.close();
    }
}
