package dev.bodyguard.proxy.wire;

import dev.bodyguard.proxy.wire.Http1Bytes.Framing;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.AsciiString;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// Kept-alive HTTP/1.1 connections; the one used last is used next, so that the others may go.
@SuppressWarnings("FutureReturnValueIgnored") // how a write or a close ended is told by the channel
final class Http1Pool implements Pools.Pool, Swept.Item {
    private final Pools pools;
    private final Loop loop;
    private final Target target;
    private final ArrayDeque<Link> idle = new ArrayDeque<>();
    private int connections;

    Http1Pool(Pools pools, Loop loop, Target target) {
        this.pools = pools;
        this.loop = loop;
        this.target = target;
        loop.swept().add(this);
    }

    @Override
    public UpstreamStream open(Request head, boolean last, ResponseListener listener) {
        for (var link = idle.pollLast(); link != null; link = idle.pollLast()) {
            if (link.usable()) {
                return link.begin(head, last, listener);
            }
        }
        var link = new Link();
        var stream = link.new Stream(head, last, listener);
        if (connections >= pools.limits().connections()) {
            loop.execute(() -> stream.fail(new Failure.Overflow(
                    target + ": " + connections + " connections are open already, which is the limit")));
            return stream;
        }
        connections++;
        link.stream = stream;
        pools.connect(loop, target, new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        link.channel = channel;
                        channel.closeFuture().addListener(_ -> connections--);
                        channel.pipeline().addLast(link);
                    }
                })
                .addListener((ChannelFutureListener) connected -> {
                    if (!connected.isSuccess()) {
                        var waiting = link.stream;
                        link.stream = null;
                        if (waiting != null) {
                            waiting.fail(new Failure.ConnectFailed(
                                    target + ": " + connected.cause().getMessage()));
                        }
                    }
                });
        return stream;
    }

    @Override
    public void sweep(long now) {
        long limit = pools.limits().upstreamIdle().toNanos();
        while (!idle.isEmpty() && now - idle.peekFirst().since > limit) {
            idle.pollFirst().close();
        }
        if (connections == 0) {
            loop.swept().remove(this);
            pools.forget(loop, target, this);
        }
    }

    private final class Link extends Reader {
        private final Http1Parser parser = Http1Parser.ofResponses(pools.limits());
        private @Nullable Channel channel;
        private @Nullable Stream stream;
        private boolean processing;
        private boolean flushing;
        private boolean gone;
        private boolean serverEnded;
        private boolean active;
        private boolean reused;
        private long since;

        boolean usable() {
            return active && !gone && channel != null && channel.isActive();
        }

        Stream begin(Request head, boolean last, ResponseListener listener) {
            var begun = new Stream(head, last, listener);
            stream = begun;
            reused = true;
            begun.start();
            return begun;
        }

        void close() {
            if (channel != null) {
                channel.close();
            }
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            active = true;
            if (stream == null) {
                ctx.close();
            } else {
                stream.start();
                if (stream != null && stream.mayWrite()) {
                    stream.listener.onWritable();
                }
            }
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            var bytes = (ByteBuf) message;
            if (stream == null) {
                // Nobody asked: whatever it is must not be taken for the next answer.
                bytes.release();
                idle.remove(this);
                ctx.close();
                return;
            }
            stream.answering = true;
            keep(bytes);
            process();
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            if (stream != null && stream.isWritable()) {
                stream.listener.onWritable();
            }
        }

        /// Only a connection that speaks another protocol by now ends one side at a time.
        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event instanceof ChannelInputShutdownEvent) {
                serverEnded = true;
                process();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            gone = true;
            idle.remove(this);
            process();
            lost(target + " closed the connection");
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            var broken = stream;
            if (broken != null && unread == null) {
                stream = null;
                broken.fail(new Failure.Closed(target + ": " + cause.getMessage(), reused, broken.answering));
            }
            ctx.close();
        }

        /// The connection has ended and what it brought was read; a paused reader comes here when it resumes.
        private void lost(String reason) {
            var waiting = stream;
            if (waiting == null || !gone || processing || waiting.paused) {
                return;
            }
            stream = null;
            forget();
            if (parser.endsHere()) {
                waiting.done = true;
                waiting.listener.onData(ctx().alloc().buffer(0), true);
            } else {
                waiting.fail(new Failure.Closed(reason, reused, waiting.answering));
            }
        }

        private void process() {
            if (processing) {
                return;
            }
            processing = true;
            try {
                for (var reader = stream;
                        reader != null && unread != null && !reader.paused && step(unread, reader);
                        reader = stream) {}
                if (serverEnded && stream != null) {
                    stream.serverEnded();
                }
            } catch (Malformed malformed) {
                var reader = stream;
                stream = null;
                close();
                if (reader != null) {
                    reader.fail(new Failure.Malformed(target + ": " + malformed.sentence(), reader.headSeen));
                }
            } finally {
                processing = false;
                if (unread != null && (stream == null || !unread.isReadable())) {
                    if (unread.isReadable()) {
                        close();
                    }
                    forget();
                }
            }
            var wanted = stream == null || !stream.paused;
            if (channel != null && !gone && channel.config().isAutoRead() != wanted) {
                channel.config().setAutoRead(wanted);
            }
        }

        private boolean step(ByteBuf in, Stream reader) {
            if (reader.switched) {
                unread = null;
                reader.listener.onData(in, false);
                return true;
            }
            switch (parser.next(in)) {
                case MORE -> {
                    return false;
                }
                case HEAD -> {
                    var head = new Response(parser.version(), parser.status(), parser.fields());
                    var protocol = parser.upgrade();
                    parser.forget();
                    if (head.status() == 101) {
                        reader.become(protocol, head);
                    } else if (head.status() < 200) {
                        if (++reader.interims > Limits.INTERIM_ANSWERS) {
                            throw new Malformed(502, "more than " + Limits.INTERIM_ANSWERS + " interim answers");
                        }
                        reader.listener.onInterim(head);
                    } else {
                        reader.headSeen = true;
                        // What was to become another protocol was a request, and no more.
                        reader.sent |= reader.head.protocol() != null;
                        reader.keepAlive = parser.keepAlive();
                        boolean last = parser.last();
                        if (last) {
                            ended(reader);
                        }
                        reader.listener.onHead(head, last);
                    }
                }
                case CHUNK -> {
                    var chunk = parser.takeChunk();
                    boolean last = parser.last();
                    if (last) {
                        ended(reader);
                    }
                    reader.listener.onData(chunk, last);
                }
                case TRAILERS -> {
                    var trailers = parser.fields();
                    parser.forget();
                    ended(reader);
                    if (trailers.count() == 0) {
                        reader.listener.onData(ctx().alloc().buffer(0), true);
                    } else {
                        reader.listener.onTrailers(trailers);
                    }
                }
            }
            return true;
        }

        /// The answer is complete: the connection is free, unless something is left on it.
        private void ended(Stream reader) {
            reader.done = true;
            stream = null;
            boolean clean = reader.sent && reader.keepAlive && !gone && (unread == null || !unread.isReadable());
            if (clean && idle.size() < pools.limits().pooledIdle()) {
                since = System.nanoTime();
                idle.addLast(this);
            } else {
                close();
            }
        }

        private void flushLater() {
            if (!flushing) {
                flushing = true;
                loop.flushLater(() -> {
                    flushing = false;
                    ctx().flush();
                });
            }
        }

        private final class Stream implements UpstreamStream {
            private final Request head;
            private final ResponseListener listener;
            private final Early early = new Early();
            private Framing framing = Framing.NONE;
            private boolean started;
            private boolean sent;
            private boolean paused;
            private boolean done;
            private boolean answering;
            private boolean headSeen;
            private int interims;
            private boolean keepAlive;
            /// The connection carries another protocol: its sides end on their own.
            private boolean switched;

            private boolean answerEnded;
            private @Nullable String freshKey;

            Stream(Request head, boolean last, ResponseListener listener) {
                this.head = head;
                this.listener = listener;
                this.sent = last;
            }

            void start() {
                started = true;
                if (Upgrades.WEBSOCKET.equals(head.protocol()) && !head.fields().contains(Upgrades.KEY)) {
                    freshKey = Upgrades.freshKey(loop.random());
                    head.fields().add(Upgrades.KEY, freshKey);
                }
                if (head.protocol() != null) {
                    framing = Framing.NONE;
                } else if (head.fields().contains("content-length")) {
                    framing = Framing.LENGTH;
                } else if (sent && early.isEmpty()) {
                    framing = Framing.NONE;
                } else {
                    framing = Framing.CHUNKED;
                }
                parser.answersHead(head.method().equals("HEAD"));
                ctx().write(Http1Bytes.request(ctx().alloc(), head, framing), ctx().voidPromise());
                flushLater();
                listener.onOpen(reused);
                if (!early.isEmpty() && mayWrite()) {
                    early.moveTo(
                            (chunk, last) -> Http1Bytes.body(ctx(), framing, chunk, last),
                            trailers -> Http1Bytes.trailers(ctx(), framing, trailers));
                }
            }

            /// What asks for another protocol says nothing of it before that is granted.
            boolean mayWrite() {
                return head.protocol() == null || switched;
            }

            void become(@Nullable AsciiString protocol, Response answer) {
                if (head.protocol() == null || protocol == null || !protocol.contentEqualsIgnoreCase(head.protocol())) {
                    throw new Malformed(502, "it switched to a protocol that it was not asked for");
                }
                if (freshKey != null) {
                    if (!Upgrades.accept(freshKey).equals(answer.fields().get(Upgrades.ACCEPT))) {
                        throw new Malformed(502, "it speaks WebSocket without having understood the key");
                    }
                    answer.fields().remove(Upgrades.ACCEPT);
                }
                switched = true;
                headSeen = true;
                framing = Framing.CLOSE;
                answer.fields().remove("content-length");
                ctx().channel().config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
                listener.onHead(answer, false);
                if (!done) {
                    early.moveTo(this::write, _ -> write(Unpooled.EMPTY_BUFFER, true));
                    listener.onWritable();
                }
            }

            /// The server has nothing more to say, and whatever it said was delivered.
            void serverEnded() {
                if (switched && !answerEnded && !paused && unread == null) {
                    answerEnded = true;
                    // First, so that nothing which is on its way to the server is lost by whoever hears the end.
                    closeIfBothEnded();
                    listener.onData(Unpooled.EMPTY_BUFFER, true);
                }
            }

            private void write(ByteBuf chunk, boolean last) {
                Http1Bytes.body(ctx(), framing, chunk, last);
                flushLater();
                if (switched && last) {
                    var there = ctx().channel();
                    ctx().writeAndFlush(Unpooled.EMPTY_BUFFER)
                            .addListener(_ -> ((DuplexChannel) there).shutdownOutput());
                    closeIfBothEnded();
                }
            }

            private void closeIfBothEnded() {
                if (switched && sent && answerEnded && !done) {
                    done = true;
                    stream = null;
                    ctx().writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
                }
            }

            void fail(Failure failure) {
                if (!done) {
                    done = true;
                    early.release();
                    listener.onFailure(failure);
                }
            }

            @Override
            public void data(ByteBuf chunk, boolean last) {
                if (done || sent || stream != this) {
                    chunk.release();
                    return;
                }
                sent = last;
                if (!started || !mayWrite()) {
                    early.data(chunk, last);
                    return;
                }
                write(chunk, last);
            }

            @Override
            public void trailers(Fields trailers) {
                if (done || sent || stream != this) {
                    return;
                }
                sent = true;
                if (!started || !mayWrite()) {
                    early.trailers(trailers);
                    return;
                }
                if (switched) {
                    write(Unpooled.EMPTY_BUFFER, true);
                    return;
                }
                Http1Bytes.trailers(ctx(), framing, trailers);
                flushLater();
            }

            @Override
            public void cancel(Reset reason) {
                if (!done) {
                    done = true;
                    early.release();
                    if (stream == this) {
                        stream = null;
                        if (channel != null) {
                            channel.close();
                        }
                    }
                }
            }

            @Override
            public boolean isWritable() {
                return started && !done && mayWrite() && channel != null && channel.isWritable();
            }

            @Override
            public void pause() {
                paused = true;
                if (stream == this && !processing) {
                    process();
                }
            }

            @Override
            public void resume() {
                paused = false;
                if (stream == this) {
                    process();
                    lost(target + " closed the connection");
                }
            }
        }
    }
}
