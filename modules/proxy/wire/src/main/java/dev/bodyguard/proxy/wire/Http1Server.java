package dev.bodyguard.proxy.wire;

import dev.bodyguard.proxy.wire.Http1Bytes.Framing;
import dev.bodyguard.proxy.wire.Http1Bytes.Persistence;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// A client that speaks HTTP/1: one exchange after the other, pipelined requests wait as unread bytes.
@SuppressWarnings("FutureReturnValueIgnored") // how a write or a close ended is told by the channel
final class Http1Server extends Reader implements Front.Speaker, Swept.Item {
    /// How much of a request that is already answered is read on, so that its connection can serve the next one.
    private static final int DISCARDED = 256 << 10;

    private final Front front;
    private final Http1Parser parser;
    private @Nullable Http1Exchange current;
    private boolean processing;
    private boolean flushing;
    private boolean closing;
    private boolean clientEnded;
    private long since = System.nanoTime();

    Http1Server(Front front) {
        this.front = front;
        this.parser = Http1Parser.ofRequests(front.shared.limits());
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        super.handlerAdded(ctx);
        front.loop.swept().add(this);
        front.speaks(this);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        front.loop.swept().remove(this);
        release();
    }

    /// RFC 9112 §9.6: a connection that is closed between two requests may lose the second, which its client may
    /// not be free to repeat. `Connection: close` in an answer loses none.
    @Override
    public void drain() {
        // Each answer from now on says it.
    }

    /// Not one that was answered less than its time ago: that has a look of its own.
    @Override
    public void endIdle() {
        if (!closing
                && current == null
                && parser.betweenMessages()
                && unread == null
                && System.nanoTime() - since >= Listener.FOR_ONE_MORE_REQUEST.toNanos()) {
            end();
        }
    }

    /// Once what was written has gone out.
    private void end() {
        closing = true;
        ctx().writeAndFlush(ctx().alloc().buffer(0)).addListener(ChannelFutureListener.CLOSE);
    }

    @Override
    public void sweep(long now) {
        if (current == null) {
            var limits = front.shared.limits();
            boolean idle = parser.betweenMessages() && unread == null;
            if (now - since > (idle ? limits.idle() : limits.head()).toNanos()) {
                if (idle) {
                    ctx().close();
                } else {
                    refuse(new Malformed(408, "the request's head did not end in time"));
                }
            }
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        var bytes = (ByteBuf) message;
        if (closing) {
            bytes.release();
            return;
        }
        if (unread == null && current == null) {
            since = System.nanoTime();
        }
        keep(bytes);
        process();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (current != null && !current.answered && ctx.channel().isWritable()) {
            current.listener().onWritable();
        }
    }

    /// Only a connection that speaks another protocol by now ends one side at a time.
    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            clientEnded = true;
            process();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        closing = true;
        var gone = current;
        current = null;
        release();
        if (gone != null && !gone.answered) {
            gone.answered = true;
            gone.listener().onReset(Reset.CANCELLED);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ctx.close();
    }

    private void release() {
        if (!processing) {
            forget();
        }
    }

    private void process() {
        if (processing) {
            return;
        }
        processing = true;
        try {
            while (unread != null && !closing) {
                var exchange = current;
                if (exchange != null && (exchange.requestDone || exchange.paused)) {
                    break;
                }
                if (exchange != null && exchange.switched) {
                    var bytes = unread;
                    unread = null;
                    exchange.listener().onData(bytes, false);
                } else if (!step(unread, exchange)) {
                    break;
                }
            }
            if (clientEnded && current != null) {
                current.clientEnded();
            }
        } catch (Malformed malformed) {
            refuse(malformed);
        } finally {
            processing = false;
            if (closing || (unread != null && !unread.isReadable())) {
                forget();
            }
        }
        if (!closing) {
            readOn();
        }
    }

    private boolean step(ByteBuf in, @Nullable Http1Exchange exchange) {
        switch (parser.next(in)) {
            case MORE -> {
                return false;
            }
            case HEAD -> begin();
            case CHUNK -> {
                if (exchange == null) {
                    parser.takeChunk().release();
                } else {
                    exchange.requestDone = parser.last();
                    exchange.deliver(parser.takeChunk(), parser.last());
                    exchange.finishIfDone();
                }
            }
            case TRAILERS -> {
                var trailers = parser.fields();
                parser.forget();
                if (exchange != null) {
                    exchange.requestDone = true;
                    if (!exchange.answered) {
                        if (trailers.count() == 0) {
                            exchange.listener().onData(ctx().alloc().buffer(0), true);
                        } else {
                            exchange.listener().onTrailers(trailers);
                        }
                    }
                    exchange.finishIfDone();
                }
            }
        }
        return true;
    }

    /// Reads while there is something to wait for: a request, more of one, or (with nothing pipelined) the client's
    /// going away.
    private void readOn() {
        var exchange = current;
        boolean wanted =
                exchange == null || (exchange.requestDone ? unread == null && !exchange.switched : !exchange.paused);
        if (ctx().channel().config().isAutoRead() != wanted) {
            ctx().channel().config().setAutoRead(wanted);
        }
    }

    private void begin() {
        var head = parser;
        if (head.method().equals("CONNECT")) {
            connect(head.target());
            return;
        }
        var request = request(head);
        head.forget();
        var exchange = new Http1Exchange(request, head.last(), head.keepAlive() && !front.shared.draining().now);
        current = exchange;
        exchange.begun(front.shared.requests().begin(exchange));
        exchange.finishIfDone();
    }

    private static Request request(Http1Parser head) {
        var target = head.target();
        var scheme = "http";
        var host = head.host();
        var authority = host == null ? "" : host.toString();
        String path;
        if (target.charAt(0) == '/' || (target.equals("*") && head.method().equals("OPTIONS"))) {
            path = target;
            if (host == null && head.version() == Version.HTTP_1_1) {
                throw new Malformed(400, "an HTTP/1.1 request without host");
            }
        } else {
            int colon = target.indexOf("://");
            if (colon <= 0) {
                throw new Malformed(400, "the request target is neither a path nor a URL");
            }
            scheme = target.substring(0, colon).toLowerCase(Locale.ROOT);
            if (!scheme.equals("http") && !scheme.equals("https")) {
                throw new Malformed(400, "the request target is no http URL");
            }
            int from = colon + 3;
            int to = from;
            while (to < target.length() && "/?#".indexOf(target.charAt(to)) < 0) {
                to++;
            }
            // RFC 9112 §3.2.2: the URL's authority replaces the host field.
            authority = target.substring(from, to);
            path = target.substring(to);
            if (path.isEmpty()) {
                path = head.method().equals("OPTIONS") ? "*" : "/";
            } else if (path.charAt(0) != '/') {
                path = "/" + path;
            }
        }
        Heads.checkAuthority(authority);
        var protocol = Upgrades.asked(head.upgrade());
        if (protocol != null) {
            // Of no body; what follows has no length.
            head.fields().remove("content-length");
        }
        return new Request(head.version(), head.method(), scheme, authority, path, head.fields(), protocol);
    }

    private void connect(String destination) {
        if (front.shared.tunnels() == null) {
            throw new Malformed(501, "CONNECT is not granted here");
        }
        Heads.checkDestination(destination);
        var ctx = ctx();
        closing = true;
        ctx.channel().config().setAutoRead(true);
        ctx.writeAndFlush(ByteBufUtil.writeAscii(ctx.alloc(), "HTTP/1.1 200 Connection established\r\n\r\n"));
        front.meantFor(destination);
        handOver(new Sniffer(front, front.shared.tunnels()));
    }

    private void refuse(Malformed malformed) {
        closing = true;
        var broken = current;
        current = null;
        var ctx = ctx();
        boolean answers = malformed.status() != 0 && (broken == null || !broken.headWritten);
        if (broken == null) {
            front.shared
                    .requests()
                    .unread(new Unread(
                            front,
                            parser.versionRead(),
                            parser.method(),
                            parser.target(),
                            malformed.status(),
                            malformed.sentence()));
        } else if (!broken.answered) {
            broken.answered = true;
            broken.listener().onMalformed(answers ? malformed.status() : 0, malformed.sentence());
        }
        if (answers) {
            var text = malformed.sentence() + "\n";
            var out = Http1Bytes.response(
                    ctx.alloc(),
                    malformed.status(),
                    Fields.of(
                            "content-type",
                            "text/plain; charset=utf-8",
                            "content-length",
                            Integer.toString(text.length())),
                    Framing.LENGTH,
                    Persistence.CLOSE);
            ByteBufUtil.writeAscii(out, text);
            ctx.writeAndFlush(out).addListener(ChannelFutureListener.CLOSE);
        } else {
            // An answer that is whole shall not be lost with what follows its request.
            ctx.flush();
            ctx.close();
        }
    }

    private void flushLater() {
        if (!flushing) {
            flushing = true;
            front.loop.flushLater(() -> {
                flushing = false;
                ctx().flush();
            });
        }
    }

    private final class Http1Exchange implements Exchange {
        private final Request request;
        private final boolean bodyless;
        private final boolean expects;
        private final @Nullable String webSocketKey;
        private boolean keepAlive;
        private @Nullable RequestListener listener;
        private boolean paused;
        private boolean requestDone;
        private boolean headWritten;
        private boolean continued;
        private boolean answered;
        private Framing framing = Framing.NONE;
        private long discarded;
        /// The connection carries another protocol: its sides end on their own.
        private boolean switched;

        private boolean answerEnded;

        /// @param last the head was all of the request
        Http1Exchange(Request request, boolean last, boolean keepAlive) {
            this.request = request;
            this.bodyless = last && request.protocol() == null;
            this.requestDone = last;
            this.keepAlive = keepAlive;
            this.expects = !last && request.fields().contains("expect");
            this.webSocketKey = Upgrades.WEBSOCKET.equals(request.protocol())
                    ? request.fields().get(Upgrades.KEY)
                    : null;
        }

        void begun(RequestListener hears) {
            listener = hears;
        }

        RequestListener listener() {
            var hears = listener;
            if (hears == null) {
                throw new IllegalStateException("the handler has not returned yet");
            }
            return hears;
        }

        void deliver(ByteBuf chunk, boolean last) {
            if (answered) {
                discarded += chunk.readableBytes();
                chunk.release();
                if (discarded > DISCARDED) {
                    keepAlive = false;
                    requestDone = true;
                }
            } else {
                listener().onData(chunk, last);
            }
        }

        void finishIfDone() {
            if (!answered || current != this || listener == null) {
                return;
            }
            if (!requestDone && expects && !continued) {
                // Whether the body will come nobody can know.
                keepAlive = false;
            }
            if (requestDone || !keepAlive) {
                current = null;
                since = System.nanoTime();
                if (!keepAlive) {
                    Http1Server.this.end();
                } else if (front.shared.draining().now) {
                    // This answer began before, and did not say that it is the last one.
                    front.loop.after(Listener.FOR_ONE_MORE_REQUEST, Http1Server.this::endIdle);
                }
            }
        }

        @Override
        public Request request() {
            return request;
        }

        @Override
        public boolean bodyless() {
            return bodyless;
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
        public void pause() {
            paused = true;
            if (current == this && !processing) {
                readOn();
            }
        }

        @Override
        public void resume() {
            paused = false;
            if (current == this) {
                process();
            }
        }

        @Override
        public void interim(Response head) {
            if (!headWritten && !answered && request.version() == Version.HTTP_1_1 && head.status() != 101) {
                continued |= head.status() == 100;
                ctx().write(
                                Http1Bytes.response(
                                        ctx().alloc(), head.status(), head.fields(), Framing.NONE, Persistence.UNSAID),
                                ctx().voidPromise());
                flushLater();
            }
        }

        @Override
        public void head(Response head, boolean last) {
            if (answered || headWritten) {
                return;
            }
            headWritten = true;
            if (request.protocol() != null && head.status() == 101) {
                become(request.protocol(), head.fields());
                return;
            }
            boolean fits = !(head.status() == 204
                    || head.status() == 304
                    || request.method().equals("HEAD"));
            if (!fits) {
                framing = Framing.NONE;
            } else if (head.fields().contains("content-length")) {
                framing = Framing.LENGTH;
            } else if (last) {
                head.fields().add("content-length", "0");
                framing = Framing.NONE;
            } else if (request.version() == Version.HTTP_1_1) {
                framing = Framing.CHUNKED;
            } else {
                framing = Framing.CLOSE;
                keepAlive = false;
            }
            keepAlive &= !front.shared.draining().now && (requestDone || continued || !expects);
            ctx().write(
                            Http1Bytes.response(ctx().alloc(), head.status(), head.fields(), framing, persistence()),
                            ctx().voidPromise());
            flushLater();
            if (last) {
                end();
            }
        }

        private void become(String protocol, Fields fields) {
            if (webSocketKey != null && !fields.contains(Upgrades.ACCEPT)) {
                fields.add(Upgrades.ACCEPT, Upgrades.accept(webSocketKey));
            }
            switched = true;
            requestDone = false;
            framing = Framing.CLOSE;
            ctx().channel().config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
            ctx().write(Http1Bytes.switching(ctx().alloc(), fields, protocol), ctx().voidPromise());
            flushLater();
            process();
        }

        /// The client has nothing more to say, and whatever it said was delivered.
        private void clientEnded() {
            if (switched && !requestDone && !paused && unread == null) {
                requestDone = true;
                listener().onData(Unpooled.EMPTY_BUFFER, true);
                closeIfBothEnded();
            }
        }

        private void answerEnded() {
            answerEnded = true;
            var channel = ctx().channel();
            ctx().writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(_ -> {
                if (!closing) {
                    ((DuplexChannel) channel).shutdownOutput();
                }
            });
            closeIfBothEnded();
        }

        private void closeIfBothEnded() {
            if (requestDone && answerEnded && !answered) {
                answered = true;
                current = null;
                Http1Server.this.end();
            }
        }

        private Persistence persistence() {
            if (!keepAlive) {
                return Persistence.CLOSE;
            }
            return request.version() == Version.HTTP_1_0 ? Persistence.KEEP_ALIVE : Persistence.UNSAID;
        }

        @Override
        public void data(ByteBuf chunk, boolean last) {
            if (answered) {
                chunk.release();
                return;
            }
            Http1Bytes.body(ctx(), framing, chunk, last);
            flushLater();
            if (last && switched) {
                answerEnded();
            } else if (last) {
                end();
            }
        }

        @Override
        public void trailers(Fields trailers) {
            if (switched) {
                data(Unpooled.EMPTY_BUFFER, true);
            } else if (!answered) {
                Http1Bytes.trailers(ctx(), framing, trailers);
                flushLater();
                end();
            }
        }

        @Override
        public void reset(Reset reason) {
            if (!answered) {
                answered = true;
                closing = true;
                current = null;
                ctx().flush();
                ctx().close();
            }
        }

        @Override
        public boolean isWritable() {
            return ctx().channel().isWritable();
        }

        private void end() {
            answered = true;
            paused = false;
            finishIfDone();
            if (!closing) {
                process();
            }
        }
    }
}
