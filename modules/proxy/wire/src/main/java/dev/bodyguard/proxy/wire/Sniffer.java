package dev.bodyguard.proxy.wire;

import static io.netty.handler.codec.ByteToMessageDecoder.MERGE_CUMULATOR;

import dev.bodyguard.proxy.engine.Transport;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandler;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// A connection whose client has not yet said what it speaks. Without a tunnel handler it is HTTP of either kind;
/// inside a CONNECT, or where the kernel handed it over, it may be anything, and a server that is dialled already may
/// speak first: whoever does decides what this is.
@SuppressWarnings("FutureReturnValueIgnored") // how a write or a close ended is told by the channel
final class Sniffer extends Reader implements Front.Speaker, Swept.Item, Tunnel {
    private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final Set<String> METHODS =
            Set.of("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT");
    /// Where nobody asked for a proxy, CONNECT is for another one, to which it is but bytes.
    private static final Set<String> METHODS_OF_SERVERS =
            METHODS.stream().filter(method -> !method.equals("CONNECT")).collect(Collectors.toUnmodifiableSet());

    private static final int LONGEST_METHOD = 8;

    /// How long a client that has said nothing yet is not told that a server left without a word: it may speak HTTP,
    /// which another connection will carry.
    private static final Duration PATIENCE = Duration.ofMillis(100);

    /// Peers of the mesh, and what of ALPN tells their TLS from any other; empty: any is theirs.
    record Peers(MeshTls tls, Set<String> announced) {}

    private enum Looks {
        UNDECIDED,
        HTTP_1,
        HTTP_2,
        MUTUAL_TLS,
        ENDED_TLS,
        OPAQUE
    }

    private final Front front;
    private final @Nullable TunnelHandler tunnels;
    private final boolean announced;
    private final Set<String> methods;
    private final @Nullable Peers peers;
    private final @Nullable AppTls own;
    private @Nullable TunnelListener listener;
    private @Nullable Channel server;
    private @Nullable ServerSide side;
    private String serverName = "";
    private boolean ready;
    private boolean opaque;
    private boolean done;
    private boolean clientEnded;
    private boolean serverEnded;
    private long sent;
    private long received;
    private final long since = System.nanoTime();

    Sniffer(Front front, @Nullable TunnelHandler tunnels) {
        this(front, tunnels, false, METHODS, null, null);
    }

    private Sniffer(
            Front front,
            @Nullable TunnelHandler tunnels,
            boolean announced,
            Set<String> methods,
            @Nullable Peers peers,
            @Nullable AppTls own) {
        this.front = front;
        this.tunnels = tunnels;
        this.announced = announced;
        this.methods = methods;
        this.peers = peers;
        this.own = own;
    }

    /// For a client that has said that it speaks no HTTP.
    static Sniffer ofBytes(Front front, TunnelHandler tunnels) {
        return new Sniffer(front, tunnels, true, METHODS, null, null);
    }

    /// For a client that knows nothing of this process.
    ///
    /// @param peers of the mesh, who may come too; null where they do not
    /// @param own for everybody else, whose TLS ends here; null where the app ends its own, if it has any
    static Sniffer ofCaptured(Front front, TunnelHandler tunnels, @Nullable Peers peers, @Nullable AppTls own) {
        return new Sniffer(front, tunnels, false, METHODS_OF_SERVERS, peers, own);
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        super.handlerAdded(ctx);
        front.loop.swept().add(this);
        if (tunnels != null) {
            // FIN of a client that waits for the server's last words must not end the tunnel.
            ctx.channel().config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
            listener = tunnels.open(this);
        }
        front.speaks(this);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        front.loop.swept().remove(this);
        forget();
    }

    @Override
    public void sweep(long now) {
        if (!opaque
                && tunnels == null
                && now - since > front.shared.limits().handshake().toNanos()
                && unread != null) {
            // What does not go on like HTTP/2 is HTTP/1, where a head has its time.
            become(new Http1Server(front));
        } else if (!opaque
                && !announced
                && now - since > front.shared.limits().idle().toNanos()) {
            close();
        }
    }

    @Override
    public void drain() {
        // What it turns out to speak will say that the end is near.
    }

    @Override
    public void endIdle() {
        // A tunnel has no requests to wait for: it may live until the deadline.
        if (!opaque) {
            close();
        }
    }

    @Override
    public Connection connection() {
        return front;
    }

    @Override
    public Loop loop() {
        return front.loop;
    }

    @Override
    public Opening opening() {
        if (announced) {
            return Opening.BYTES;
        }
        if (own != null) {
            return Opening.TLS;
        }
        return peers == null ? Opening.ANYTHING : Opening.ANYTHING_OR_PEER;
    }

    @Override
    public String destination() {
        return String.valueOf(front.originalDestination());
    }

    @Override
    public String serverName() {
        return serverName;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        var bytes = (ByteBuf) message;
        if (done) {
            bytes.release();
            return;
        }
        keep(bytes);
        if (opaque) {
            forward();
            return;
        }
        switch (look(Objects.requireNonNull(unread))) {
            case UNDECIDED -> {}
            case HTTP_1 -> become(new Http1Server(front));
            case HTTP_2 -> become(new Http2Server(front).handler);
            case MUTUAL_TLS ->
                become(new TlsFront(front, Objects.requireNonNull(peers).tls(), Objects.requireNonNull(tunnels), own));
            case ENDED_TLS ->
                become(new AppTlsFront(front, Objects.requireNonNull(own), Objects.requireNonNull(tunnels)));
            case OPAQUE -> commit();
        }
    }

    private Looks look(ByteBuf in) {
        if (announced) {
            return Looks.OPAQUE;
        }
        var expected = peers;
        if (expected == null) {
            return tunnels == null ? lookForHttp(in) : lookForName(in);
        }
        return switch (ClientHello.read(in)) {
            case ClientHello.Reading.Incomplete _ -> Looks.UNDECIDED;
            case ClientHello.Reading.NotTls _ -> own == null ? lookForHttp(in) : Looks.ENDED_TLS;
            case ClientHello.Reading.Hello(var hello)
            when MeshTls.isMeant(hello, expected.announced()) -> Looks.MUTUAL_TLS;
            case ClientHello.Reading.Hello _ -> own == null ? Looks.OPAQUE : Looks.ENDED_TLS;
        };
    }

    /// A tunnel's TLS is not ended here, but for whom it is may say where it leads.
    private Looks lookForName(ByteBuf in) {
        return switch (ClientHello.read(in)) {
            case ClientHello.Reading.Incomplete _ -> Looks.UNDECIDED;
            case ClientHello.Reading.NotTls _ -> lookForHttp(in);
            case ClientHello.Reading.Hello(var hello) -> {
                serverName = hello.server();
                yield Looks.OPAQUE;
            }
        };
    }

    private Looks lookForHttp(ByteBuf in) {
        int n = Math.min(in.readableBytes(), PREFACE.length);
        int same = 0;
        while (same < n && in.getByte(in.readerIndex() + same) == PREFACE[same]) {
            same++;
        }
        if (same == PREFACE.length) {
            return Looks.HTTP_2;
        }
        if (tunnels == null) {
            // "PR" may yet become PROPFIND, the whole preface cannot.
            return same == n ? Looks.UNDECIDED : Looks.HTTP_1;
        }
        if (same == n) {
            return Looks.UNDECIDED;
        }
        int space =
                in.indexOf(in.readerIndex(), Math.min(in.writerIndex(), in.readerIndex() + LONGEST_METHOD), (byte) ' ');
        var word = in.toString(
                in.readerIndex(),
                space < 0 ? Math.min(in.readableBytes(), LONGEST_METHOD) : space - in.readerIndex(),
                StandardCharsets.ISO_8859_1);
        if (space < 0) {
            return methods.stream().anyMatch(method -> method.startsWith(word)) ? Looks.UNDECIDED : Looks.OPAQUE;
        }
        if (!methods.contains(word)) {
            return Looks.OPAQUE;
        }
        // Other line protocols have GET and POST too: the version tells.
        int lf = in.indexOf(in.readerIndex(), in.writerIndex(), (byte) '\n');
        if (lf < 0) {
            return in.readableBytes() > front.shared.limits().requestLine() ? Looks.OPAQUE : Looks.UNDECIDED;
        }
        var line = in.toString(in.readerIndex(), lf - in.readerIndex(), StandardCharsets.ISO_8859_1);
        return line.endsWith(" HTTP/1.1\r") || line.endsWith(" HTTP/1.0\r") ? Looks.HTTP_1 : Looks.OPAQUE;
    }

    private void become(ChannelInboundHandler protocol) {
        done = true;
        if (listener != null) {
            if (protocol instanceof TlsFront || protocol instanceof AppTlsFront) {
                listener.onTls();
            } else {
                listener.onHttp();
            }
        }
        if (side != null) {
            side.leave();
        }
        ctx().channel().config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, false);
        handOver(protocol);
    }

    /// Whatever this is, it is not HTTP.
    private void commit() {
        if (!opaque) {
            opaque = true;
            if (listener != null) {
                listener.onOpaque();
            }
            if (side != null) {
                side.release();
            }
        }
        forward();
        if (side != null && side.left) {
            side.ended();
        }
    }

    private void forward() {
        var out = server;
        if (out != null && ready) {
            if (unread != null) {
                sent += unread.readableBytes();
                out.writeAndFlush(unread, out.voidPromise());
                unread = null;
            }
            if (clientEnded) {
                out.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(_ -> ((DuplexChannel) out).shutdownOutput());
                endIfBothEnded();
            }
        }
        // One read ahead of the server, no more. Where the end was read epoll knows the channel no longer: to read on
        // then
        // would close it, and lose what it is still to be told.
        if (!clientEnded) {
            ctx().channel().config().setAutoRead(unread == null && (out == null || out.isWritable()));
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (server != null && !serverEnded) {
            server.config().setAutoRead(ctx.channel().isWritable());
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof SslCloseCompletionEvent && announced && !opaque) {
            // Not half of a tunnel, which ends by FIN alone: its client was found to speak HTTP.
            close();
        } else if (event instanceof ChannelInputShutdownEvent && !done) {
            clientEnded = true;
            if (tunnels == null) {
                close();
            } else {
                commit();
            }
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        close();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        close();
    }

    @Override
    public void dial(Target target, MeshTls tls) {
        if (server != null || done) {
            return;
        }
        var dialled = new ServerSide(target);
        var dialling = front.shared
                .loops()
                .dialler(front.loop, target)
                .option(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel made) {
                        if (target.transport() instanceof Transport.Mtls wanted) {
                            var ssl = tls.bytes()
                                    .newHandler(
                                            made.alloc(),
                                            wanted.sni(),
                                            target.address().getPort());
                            ssl.setHandshakeTimeoutMillis(
                                    target.connectTimeout().toMillis());
                            made.pipeline().addLast(ssl);
                        }
                        made.pipeline().addLast(dialled);
                    }
                })
                .connect();
        server = dialling.channel();
        side = dialled;
        dialling.addListener((ChannelFutureListener) connected -> {
            if (!connected.isSuccess()) {
                dialled.failed(String.valueOf(connected.cause().getMessage()));
            } else if (target.transport() instanceof Transport.Plaintext) {
                dialled.connected();
            }
        });
    }

    @Override
    public void close() {
        if (!done) {
            done = true;
            forget();
            ctx().close();
            if (side != null) {
                side.drop();
            }
            if (listener != null) {
                listener.onClosed(sent, received);
            }
        }
    }

    private void endIfBothEnded() {
        if (clientEnded && serverEnded) {
            closeOnceAllIsSent();
        }
    }

    /// What the server said last is still the client's, which may read more slowly.
    private void closeOnceAllIsSent() {
        ctx().channel().writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(_ -> close());
    }

    /// The other end of the tunnel.
    private final class ServerSide extends ChannelInboundHandlerAdapter {
        private final Target target;
        private boolean over;
        /// It has left before anybody spoke.
        private boolean left;
        /// What a server of HTTP/2 says unasked, until the client has spoken.
        private @Nullable ByteBuf held;

        ServerSide(Target target) {
            this.target = target;
        }

        /// Nobody needs it any more.
        void drop() {
            over = true;
            if (held != null) {
                held.release();
                held = null;
            }
            if (server != null) {
                server.close();
            }
        }

        /// Nobody needed it after all. A handshake under way comes to its end first, or the peer would tell of one
        /// that failed.
        void leave() {
            if (target.transport() instanceof Transport.Mtls && !ready) {
                over = true;
            } else {
                drop();
            }
        }

        /// The client turned out to speak no HTTP, so what the server has said is for it.
        void release() {
            var first = held;
            held = null;
            if (first != null && server != null) {
                deliver(server, first);
            }
        }

        private void deliver(Channel from, ByteBuf bytes) {
            received += bytes.readableBytes();
            var client = ctx().channel();
            client.writeAndFlush(bytes, client.voidPromise());
            from.config().setAutoRead(client.isWritable());
        }

        private void connected() {
            if (done || over) {
                return;
            }
            ready = true;
            if (listener != null) {
                listener.onDialled();
            }
            if (opaque) {
                forward();
            }
        }

        /// Nothing was sent: whoever had this server dialled may try another.
        private void failed(String reason) {
            if (over) {
                return;
            }
            over = true;
            if (!done && listener != null) {
                server = null;
                side = null;
                listener.onDialFailed(new Failure.ConnectFailed(target + ": " + reason));
            }
        }

        private void proven(ChannelHandlerContext ctx, Transport.Mtls wanted) {
            var ssl = ctx.pipeline().get(SslHandler.class);
            var objection = MeshTls.objection(MeshTls.peerOf(ssl.engine().getSession()), wanted);
            if (objection == null && !MeshTls.BYTES.equals(ssl.applicationProtocol())) {
                objection = "the server takes nothing but HTTP";
            }
            if (objection == null) {
                connected();
            } else {
                failed(objection);
                ctx.close();
            }
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            var bytes = (ByteBuf) message;
            // Of one who is not who it should be nothing is taken, which may have come with its handshake.
            if (done || over) {
                bytes.release();
                return;
            }
            if (!opaque && (held != null || isSettings(bytes))) {
                if (announced) {
                    deliver(ctx.channel(), bytes);
                } else {
                    held = held == null ? bytes : MERGE_CUMULATOR.cumulate(ctx.alloc(), held, bytes);
                    ctx.channel().config().setAutoRead(false);
                }
                return;
            }
            if (!opaque) {
                commit();
            }
            deliver(ctx.channel(), bytes);
        }

        /// RFC 9113 §6.5: a frame of SETTINGS, on stream 0 and no acknowledgement.
        private static boolean isSettings(ByteBuf in) {
            int at = in.readerIndex();
            return in.readableBytes() >= 9
                    && in.getUnsignedMedium(at) % 6 == 0
                    && in.getShort(at + 3) == 0x0400
                    && in.getInt(at + 5) == 0;
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            if (!done && opaque && !clientEnded) {
                ctx().channel().config().setAutoRead(ctx.channel().isWritable());
            }
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event instanceof SslHandshakeCompletionEvent handshake
                    && target.transport() instanceof Transport.Mtls wanted) {
                if (over) {
                    ctx.close();
                } else if (handshake.isSuccess()) {
                    proven(ctx, wanted);
                } else {
                    failed(MeshTls.sentence(handshake.cause()));
                    ctx.close();
                }
                return;
            }
            if (event instanceof ChannelInputShutdownEvent && ready && !over && !done) {
                // TLS's own close_notify would end both directions in the library: half of a tunnel ends by TCP's FIN.
                if (opaque || announced) {
                    ended();
                } else {
                    leaves();
                }
            }
        }

        private void leaves() {
            if (!left) {
                left = true;
                var _ = front.loop.after(PATIENCE, () -> {
                    if (!done && !over && !opaque) {
                        commit();
                    }
                });
            }
        }

        private void ended() {
            left = false;
            if (done || over || serverEnded) {
                return;
            }
            if (server != null && !server.isActive()) {
                closeOnceAllIsSent();
                return;
            }
            serverEnded = true;
            var client = ctx().channel();
            client.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(_ -> {
                if (!clientEnded) {
                    ((DuplexChannel) client).shutdownOutput();
                }
            });
            endIfBothEnded();
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            if (over) {
                return;
            }
            if (ready && (opaque || announced)) {
                closeOnceAllIsSent();
            } else if (ready) {
                leaves();
            } else {
                failed("the connection was closed before it was ready");
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            if (!ready) {
                failed(MeshTls.sentence(cause));
            }
            ctx.close();
        }
    }

    /// What the first bytes of a refused plaintext connection look like, for a log line.
    static String described(ByteBuf first) {
        var text =
                first.toString(first.readerIndex(), Math.min(first.readableBytes(), 16), StandardCharsets.ISO_8859_1);
        int space = text.indexOf(' ');
        if (text.startsWith("PRI * HTTP/2")) {
            return "plaintext HTTP/2";
        }
        if (space > 0 && METHODS.contains(text.substring(0, space))) {
            return "plaintext HTTP/1 (" + text.substring(0, space) + ")";
        }
        return "no TLS (first bytes "
                + ByteBufUtil.hexDump(first, first.readerIndex(), Math.min(first.readableBytes(), 8)) + ")";
    }
}
