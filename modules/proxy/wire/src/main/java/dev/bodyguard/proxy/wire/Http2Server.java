package dev.bodyguard.proxy.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Stream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A client that speaks HTTP/2: each of its streams is an exchange.
@SuppressWarnings("FutureReturnValueIgnored") // how a write or a close ended is told by the channel
final class Http2Server extends Http2Link implements Front.Speaker, Swept.Item {
    /// For the round trip that the end takes; a client that does not answer a PING is not waited for any longer.
    private static final Duration TO_HEAR = Duration.ofSeconds(2);

    private static final String TOO_MANY_HEADS = "received too many headers";

    private final Front front;
    private long since = System.nanoTime();
    private boolean draining;
    private long drainingSince;
    /// Whether the client has heard that the end is near, so that no stream is on its way that it takes for accepted.
    private boolean heard;

    Http2Server(Front front) {
        super(true, front.loop, front.shared.limits());
        this.front = front;
    }

    @Override
    void opened() {
        loop.swept().add(this);
        front.speaks(this);
    }

    @Override
    void closed() {
        loop.swept().remove(this);
    }

    @Override
    void failed(Throwable cause) {}

    /// RFC 9113 §6.8: first say that the end is near, then, a round trip later, which stream was the last.
    @Override
    public void drain() {
        if (!draining) {
            draining = true;
            drainingSince = System.nanoTime();
            handler.goAway(
                    ctx(), Integer.MAX_VALUE, Http2Error.NO_ERROR.code(), Unpooled.EMPTY_BUFFER, ctx().newPromise());
            handler.encoder().writePing(ctx(), false, 0, ctx().newPromise());
            flushLater();
            eachTunnel(Front::drain);
        }
    }

    /// It was told to go; not so whoever speaks within a tunnel.
    @Override
    public void endIdle() {
        eachTunnel(Front::endIdle);
    }

    private void eachTunnel(Consumer<Front> step) {
        var tunnels = new ArrayList<Front>();
        try {
            connection.forEachActiveStream(stream -> {
                if (stream.getProperty(key) instanceof Tunnelled tunnel) {
                    tunnels.add(tunnel.inner);
                }
                return true;
            });
        } catch (Http2Exception impossible) {
            throw new IllegalStateException(impossible);
        }
        tunnels.forEach(step);
    }

    @Override
    public void onPingAckRead(ChannelHandlerContext ctx, long data) {
        if (draining) {
            heard = true;
            handler.goAway(
                    ctx(),
                    connection.remote().lastStreamCreated(),
                    Http2Error.NO_ERROR.code(),
                    Unpooled.EMPTY_BUFFER,
                    ctx().newPromise());
            flushLater();
            closeWhenDrained();
        }
    }

    private void closeWhenDrained() {
        if (draining && heard && connection.numActiveStreams() == 0) {
            // Once what was written has gone out.
            ctx().writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
        }
    }

    @Override
    public void sweep(long now) {
        if (connection.numActiveStreams() > 0) {
            since = now;
        } else if (draining) {
            heard |= now - drainingSince > TO_HEAR.toNanos();
            closeWhenDrained();
        } else if (now - since > limits.idle().toNanos()) {
            drain();
        }
    }

    @Override
    public void onHeadersRead(ChannelHandlerContext ctx, int id, Http2Headers headers, int padding, boolean last)
            throws Http2Exception {
        var known = at(id);
        if (known instanceof Tunnelled && !known.dead) {
            // RFC 9113 §8.5: of a tunnel's client there is DATA, and no word else.
            throw Http2Exception.streamError(id, Http2Error.PROTOCOL_ERROR, "HEADERS within a tunnel");
        }
        if (known != null) {
            if (!known.dead) {
                try {
                    known.receivedTrailers(Heads.checkCount(Heads.fields(headers), limits.fieldCount()));
                } catch (Malformed malformed) {
                    throw Http2Exception.streamError(id, Http2Error.PROTOCOL_ERROR, malformed.sentence());
                }
            }
            return;
        }
        var stream = connection.stream(id);
        if (stream == null) {
            return;
        }
        Request request;
        try {
            if (Heads.isConnect(headers) && front.shared.tunnels() != null) {
                connect(stream, headers, last, front.shared.tunnels());
                return;
            }
            request = Heads.request(headers);
            Heads.checkCount(request.fields(), limits.fieldCount());
            if (request.protocol() != null) {
                checkGoesOn(last);
            }
        } catch (Malformed malformed) {
            boolean answers = malformed.status() == 431 || malformed.status() == 501;
            unread(
                    text(headers.method()),
                    text(headers.path() == null ? headers.authority() : headers.path()),
                    answers ? malformed.status() : 0,
                    malformed.sentence());
            if (answers) {
                handler.encoder()
                        .writeHeaders(
                                ctx,
                                id,
                                Heads.block(Response.of(malformed.status(), new Fields())),
                                0,
                                true,
                                ctx.newPromise());
                flushLater();
                return;
            }
            past.reset(id);
            handler.resetStream(ctx, id, Http2Error.PROTOCOL_ERROR.code(), ctx.newPromise());
            flushLater();
            return;
        }
        var exchange = new Http2Exchange(id, request, last);
        stream.setProperty(key, exchange);
        exchange.begun(front.shared.requests().begin(exchange));
    }

    private static void checkGoesOn(boolean last) {
        if (last) {
            throw new Malformed(400, "a CONNECT that ends with its head");
        }
    }

    /// RFC 9113 §8.5: from now on the stream is a connection of its own; where it leads is decided as for one.
    private void connect(Http2Stream stream, Http2Headers headers, boolean last, TunnelHandler tunnels) {
        var destination = Heads.destination(headers);
        Heads.checkCount(Heads.fields(headers), limits.fieldCount());
        checkGoesOn(last);
        var tunnel = new Tunnelled(stream.id());
        stream.setProperty(key, tunnel);
        tunnel.writeHead(Heads.block(Response.of(200, new Fields())), false);
        tunnel.begin(destination, tunnels);
    }

    private void unread(String method, String path, int status, String sentence) {
        front.shared.requests().unread(new Unread(front, Version.HTTP_2, method, path, status, sentence));
    }

    private static String text(@Nullable CharSequence value) {
        return value == null ? "" : value.toString();
    }

    /// RFC 9113 §5.1 and §5.1.1: the codec, which forgets a stream with its end, is milder.
    @Override
    Judgement judge(Http2Exception.StreamException how) {
        int id = how.streamId();
        var stream = connection.stream(id);
        if (stream != null) {
            return how.error() == Http2Error.PROTOCOL_ERROR
                            && stream.state() == Http2Stream.State.HALF_CLOSED_REMOTE
                            && sentence(how).contains(TOO_MANY_HEADS)
                    ? new Judgement.Instead(Http2Exception.streamError(
                            id, Http2Error.STREAM_CLOSED, "stream %d goes on after its end", id))
                    : new Judgement.Stands();
        }
        past.began(id);
        return switch (how.error() == Http2Error.STREAM_CLOSED ? past.of(id) : PastStreams.Past.UNKNOWN) {
            case ENDED ->
                new Judgement.Instead(Http2Exception.connectionError(
                        Http2Error.STREAM_CLOSED, "stream %d goes on after its end", id));
            case LEFT_OUT ->
                new Judgement.Instead(Http2Exception.connectionError(
                        Http2Error.PROTOCOL_ERROR, "stream %d begins after a later one", id));
            case RESET -> new Judgement.ReadOver();
            case UNKNOWN -> new Judgement.Stands();
        };
    }

    /// What the codec itself objects to: a head that is too large or no head, a body that is not as long as it says.
    @Override
    void broken(Http2Exception.StreamException how) {
        var known = at(how.streamId());
        boolean large = how instanceof Http2Exception.HeaderListSizeException;
        if (known instanceof Http2Exchange exchange) {
            if (!exchange.sent && !exchange.dead) {
                exchange.brokeOff(sentence(how));
            }
        } else if (known instanceof Tunnelled tunnel) {
            tunnel.brokeOff();
        } else if (large || how.error() == Http2Error.PROTOCOL_ERROR) {
            // Others are frames of streams that have ended.
            unread("", "", large ? 431 : 0, sentence(how));
        }
    }

    @Override
    void notHttp2(Throwable how) {
        front.shared.events().malformed(front.peer(), "it breaks HTTP/2's rules: " + sentence(how));
    }

    /// The stream of a CONNECT.
    private final class Tunnelled extends Stream implements StreamChannel.Under {
        private final StreamChannel inside = new StreamChannel(front.channel, this);
        private final Front inner = Front.within(front, inside);
        /// All that was to be sent was sent.
        private boolean gone;
        /// Nobody reads any more.
        private boolean left;

        Tunnelled(int id) {
            this.id = id;
        }

        void begin(String destination, TunnelHandler tunnels) {
            inner.meantFor(destination);
            inside.pipeline().addLast(new Sniffer(inner, tunnels));
            front.channel.eventLoop().register(inside);
        }

        @Override
        void onChunk(ByteBuf chunk, boolean last) {
            inside.received(chunk, last);
        }

        @Override
        void onTrailers(Fields trailers) {
            inside.received(Unpooled.EMPTY_BUFFER, true);
        }

        @Override
        void onPeerReset(long code) {
            inside.lost();
        }

        @Override
        void onLost() {
            inside.lost();
        }

        void brokeOff() {
            dead = true;
            discard();
            inside.lost();
        }

        @Override
        void onWritable() {
            inside.writable();
        }

        @Override
        public void write(ByteBuf chunk) {
            writeData(chunk, false);
        }

        @Override
        public boolean isWritable() {
            return !dead && !sent && writable();
        }

        @Override
        public void end() {
            writeEnd(() -> {
                gone = true;
                reset();
            });
        }

        /// Bytes that are on their way still arrive; what the client says after that nobody reads.
        @Override
        public void leave() {
            left = true;
            resumeReading();
            end();
            reset();
        }

        private void reset() {
            if (gone && left && !finished()) {
                writeReset(Http2Error.NO_ERROR);
            }
        }

        @Override
        public void pause() {
            pauseReading();
        }

        @Override
        public void resume() {
            resumeReading();
        }
    }

    private final class Http2Exchange extends Stream implements Exchange {
        private final Request request;
        private final boolean bodyless;
        private @Nullable RequestListener listener;
        /// The stream carries another protocol: its sides end on their own.
        private boolean switched;

        Http2Exchange(int id, Request request, boolean bodyless) {
            this.id = id;
            this.request = request;
            this.bodyless = bodyless;
            if (bodyless) {
                endedByHead();
            }
        }

        void begun(RequestListener hears) {
            listener = hears;
        }

        private RequestListener listener() {
            var hears = listener;
            if (hears == null) {
                throw new IllegalStateException("the handler has not returned yet");
            }
            return hears;
        }

        /// Nobody waits for more of it.
        private boolean isOver() {
            return sent && (!switched || finished());
        }

        @Override
        void onChunk(ByteBuf chunk, boolean last) {
            if (sent && !switched) {
                chunk.release();
            } else {
                listener().onData(chunk, last);
            }
        }

        @Override
        void onTrailers(Fields trailers) {
            if (switched) {
                listener().onData(Unpooled.EMPTY_BUFFER, true);
            } else if (!sent) {
                listener().onTrailers(trailers);
            }
        }

        void brokeOff(String sentence) {
            dead = true;
            discard();
            listener().onMalformed(0, sentence);
        }

        @Override
        void onPeerReset(long code) {
            if (!isOver()) {
                listener()
                        .onReset(
                                code == Http2Error.CANCEL.code() || code == Http2Error.NO_ERROR.code()
                                        ? Reset.CANCELLED
                                        : Reset.INTERNAL);
            }
        }

        @Override
        void onLost() {
            if (!isOver()) {
                listener().onReset(Reset.CONNECTION_LOST);
            }
        }

        @Override
        void onWritable() {
            if (!sent && !dead && listener != null) {
                listener().onWritable();
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
            return loop;
        }

        @Override
        public void pause() {
            pauseReading();
        }

        @Override
        public void resume() {
            resumeReading();
        }

        @Override
        public void interim(Response head) {
            if (!dead && !sent && head.status() != 101) {
                writeHead(Heads.block(head), false);
            }
        }

        @Override
        public void head(Response head, boolean last) {
            if (!dead && !sent) {
                switched = request.protocol() != null && head.status() == 101;
                writeHead(request.protocol() == null ? Heads.block(head) : Heads.answerToConnect(head), last);
                if (last) {
                    answered();
                }
            }
        }

        @Override
        public void data(ByteBuf chunk, boolean last) {
            writeData(chunk, last);
            if (last) {
                answered();
            }
        }

        @Override
        public void trailers(Fields trailers) {
            writeTrailers(trailers);
            answered();
        }

        /// What the client still sends nobody reads: it gets its credit back until it ends or, which is sooner, gives
        /// up.
        private void answered() {
            if (!dead && !finished() && !switched) {
                resumeReading();
            }
        }

        @Override
        public void reset(Reset reason) {
            writeReset(code(reason));
        }

        @Override
        public boolean isWritable() {
            return !dead && writable();
        }
    }
}
