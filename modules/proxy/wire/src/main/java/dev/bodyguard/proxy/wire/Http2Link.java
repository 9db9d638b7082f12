package dev.bodyguard.proxy.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.AbstractHttp2ConnectionHandlerBuilder;
import io.netty.handler.codec.http2.DefaultHttp2Connection;
import io.netty.handler.codec.http2.DefaultHttp2LocalFlowController;
import io.netty.handler.codec.http2.DefaultHttp2RemoteFlowController;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2EventAdapter;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.handler.codec.http2.UniformStreamByteDistributor;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// One HTTP/2 connection, either side: frames to streams without objects in between, credit returned only for what the
/// other side took, one flush per round of the loop.
@SuppressWarnings("FutureReturnValueIgnored") // how a write or a close ended is told by the channel
abstract class Http2Link extends Http2EventAdapter {
    private static final int RESET_WINDOW_SECONDS = 1;
    /// Frames of DATA in a row that carry nothing.
    private static final int EMPTY_FRAMES = 2;
    /// Of one head (CVE-2024-27983 and its kin).
    private static final int SMALL_CONTINUATIONS = 16;
    /// Answers to PING and SETTINGS that wait until the peer reads them (CVE-2019-9512, CVE-2019-9515).
    private static final int CONTROL_FRAMES = 2_000;
    /// Below this a chunk that waits is copied to others: each is a slice of a buffer as large as a read.
    private static final int SMALL = 1 << 10;

    private static final int GATHERED = 16 << 10;

    final Loop loop;
    final Limits limits;
    final DefaultHttp2Connection connection;
    final io.netty.handler.codec.http2.Http2Connection.PropertyKey key;
    final Handler handler;
    final PastStreams past = new PastStreams();
    private @Nullable ChannelHandlerContext context;
    private boolean flushing;

    Http2Link(boolean server, Loop loop, Limits limits) {
        this.loop = loop;
        this.limits = limits;
        connection = new DefaultHttp2Connection(server);
        // Our credit returns when the sink took the bytes; a window update leaves at half of the window.
        connection.local().flowController(new DefaultHttp2LocalFlowController(connection));
        var remote = new DefaultHttp2RemoteFlowController(connection, new UniformStreamByteDistributor(connection));
        remote.listener(stream -> {
            if (stream.getProperty(key()) instanceof Stream ours && remote.isWritable(stream)) {
                ours.onWritable();
            }
        });
        connection.remote().flowController(remote);
        key = connection.newKey();
        handler = new Builder(this, server).build();
        connection.addListener(this);
    }

    private io.netty.handler.codec.http2.Http2Connection.PropertyKey key() {
        return key;
    }

    /// The link's channel became active and the preface was written.
    void opened() {}

    /// The connection is gone; every stream was closed before.
    abstract void closed();

    /// The connection failed by `cause`, which is a TLS or socket error.
    void failed(Throwable cause) {}

    /// What the peer sent is no HTTP/2; the connection is about to end.
    void notHttp2(Throwable how) {}

    /// What the peer sent breaks HTTP/2's rules for one stream, which is about to be reset.
    abstract void broken(Http2Exception.StreamException how);

    /// What was to be sent on one stream could not be.
    void unsent(Http2Exception how) {}

    /// What becomes of what the codec takes for a mistake about one stream.
    sealed interface Judgement {
        /// What it takes it for.
        record Stands() implements Judgement {}

        /// Nothing.
        record ReadOver() implements Judgement {}

        record Instead(Http2Exception how) implements Judgement {}
    }

    abstract Judgement judge(Http2Exception.StreamException how);

    /// What the codec says of it, in which there may be words of the peer's.
    static String sentence(Throwable how) {
        var message = String.valueOf(how.getMessage());
        // The rest of that is a request, of which nobody asked for a copy.
        return message.startsWith("Unexpected HTTP/1.x request") ? "it speaks HTTP/1" : message;
    }

    static final class Handler extends Http2ConnectionHandler {
        private final Http2Link link;

        Handler(
                Http2ConnectionDecoder decoder,
                Http2ConnectionEncoder encoder,
                Http2Settings settings,
                Http2Link link) {
            super(decoder, encoder, settings);
            this.link = link;
        }

        @Override
        public void handlerAdded(ChannelHandlerContext ctx) throws Exception {
            link.context = ctx;
            super.handlerAdded(ctx);
            if (ctx.channel().isActive()) {
                widen(ctx);
            }
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) throws Exception {
            super.channelActive(ctx);
            widen(ctx);
        }

        /// The preface is out; streams may use more of the connection than its 64 KiB.
        private void widen(ChannelHandlerContext ctx) throws Http2Exception {
            var local = link.connection.local().flowController();
            var root = link.connection.connectionStream();
            int more = link.limits.connectionWindow() - local.windowSize(root);
            if (more > 0) {
                local.incrementWindowSize(root, more);
            }
            flush(ctx);
            link.opened();
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            discardSomeReadBytes();
            ctx.fireChannelReadComplete();
            link.flushLater();
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) throws Exception {
            super.channelInactive(ctx);
            link.closed();
        }

        @Override
        protected void onConnectionError(
                ChannelHandlerContext ctx, boolean outbound, Throwable cause, @Nullable Http2Exception http2) {
            if (outbound) {
                link.failed(cause);
            } else {
                link.notHttp2(cause);
            }
            super.onConnectionError(ctx, outbound, cause, http2);
        }

        @Override
        protected void onStreamError(
                ChannelHandlerContext ctx, boolean outbound, Throwable cause, Http2Exception.StreamException http2) {
            if (!outbound) {
                switch (link.judge(http2)) {
                    case Judgement.ReadOver() -> {
                        return;
                    }
                    case Judgement.Instead(var how) -> {
                        onError(ctx, false, how);
                        return;
                    }
                    case Judgement.Stands() -> {
                        link.past.reset(http2.streamId());
                        link.broken(http2);
                    }
                }
            } else {
                link.past.reset(http2.streamId());
                link.unsent(http2);
            }
            super.onStreamError(ctx, outbound, cause, http2);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) throws Exception {
            if (io.netty.handler.codec.http2.Http2CodecUtil.getEmbeddedHttp2Exception(cause) == null) {
                link.failed(cause);
                ctx.close();
            } else {
                super.exceptionCaught(ctx, cause);
            }
        }
    }

    private static final class Builder extends AbstractHttp2ConnectionHandlerBuilder<Handler, Builder> {
        private final Http2Link link;

        Builder(Http2Link link, boolean server) {
            this.link = link;
            connection(link.connection);
            frameListener(link);
            gracefulShutdownTimeoutMillis(0);
            decoderEnforceMaxConsecutiveEmptyDataFrames(EMPTY_FRAMES);
            decoderEnforceMaxRstFramesPerWindow(
                    link.limits.resetsPerSecond() * RESET_WINDOW_SECONDS, RESET_WINDOW_SECONDS);
            encoderEnforceMaxRstFramesPerWindow(
                    link.limits.resetsPerSecond() * RESET_WINDOW_SECONDS, RESET_WINDOW_SECONDS);
            decoderEnforceMaxSmallContinuationFrames(SMALL_CONTINUATIONS);
            encoderEnforceMaxQueuedControlFrames(CONTROL_FRAMES);
            var settings = Http2Settings.defaultSettings()
                    .initialWindowSize(link.limits.streamWindow())
                    .maxHeaderListSize(link.limits.headBytes());
            if (server) {
                settings.maxConcurrentStreams(link.limits.concurrentStreams()).connectProtocolEnabled(true);
            } else {
                settings.pushEnabled(false);
            }
            initialSettings(settings);
        }

        @Override
        public Handler build() {
            return super.build();
        }

        @Override
        protected Handler build(
                Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings settings) {
            return new Handler(decoder, encoder, settings, link);
        }
    }

    ChannelHandlerContext ctx() {
        var ctx = context;
        if (ctx == null) {
            throw new IllegalStateException("not in a pipeline");
        }
        return ctx;
    }

    void flushLater() {
        if (!flushing) {
            flushing = true;
            loop.flushLater(() -> {
                flushing = false;
                handler.flush(ctx());
            });
        }
    }

    /// Our state of a stream that was not reset by us; null for all others.
    @Nullable
    Stream at(int id) {
        var stream = connection.stream(id);
        return stream == null ? null : (Stream) stream.getProperty(key);
    }

    @Override
    public void onHeadersRead(
            ChannelHandlerContext ctx,
            int id,
            Http2Headers headers,
            int dependency,
            short weight,
            boolean exclusive,
            int padding,
            boolean last)
            throws Http2Exception {
        onHeadersRead(ctx, id, headers, padding, last);
    }

    @Override
    public int onDataRead(ChannelHandlerContext ctx, int id, ByteBuf data, int padding, boolean last)
            throws Http2Exception {
        var stream = at(id);
        if (stream == null || stream.dead) {
            return data.readableBytes() + padding;
        }
        var objection = stream.objection(data);
        if (objection != null) {
            throw Http2Exception.streamError(id, Http2Error.PROTOCOL_ERROR, objection);
        }
        stream.received(data, last);
        return padding;
    }

    @Override
    public void onRstStreamRead(ChannelHandlerContext ctx, int id, long code) {
        var stream = at(id);
        if (stream == null || stream.dead) {
            return;
        }
        if (stream.isWhole()) {
            stream.sent = true;
            return;
        }
        stream.dead = true;
        stream.discard();
        stream.onPeerReset(code);
    }

    @Override
    public void onStreamAdded(Http2Stream stream) {
        past.began(stream.id());
    }

    @Override
    public void onStreamClosed(Http2Stream closed) {
        if (!(closed.getProperty(key) instanceof Stream stream) || stream.dead) {
            return;
        }
        if (stream.ended) {
            past.ended(closed.id());
        }
        if (!(stream.sent && stream.finished)) {
            if ((stream.sent && stream.ended) || stream.isWhole()) {
                // What is held is delivered when its reader resumes.
                stream.sent = true;
                return;
            }
            stream.dead = true;
            stream.discard();
            stream.onLost();
        }
    }

    /// One stream of ours. `held` are chunks that arrived while paused: at most one window of them.
    abstract class Stream {
        private final ArrayDeque<ByteBuf> held = new ArrayDeque<>(0);
        /// The last of them, where it is a copy of small ones.
        private @Nullable ByteBuf gathering;

        private @Nullable Fields heldTrailers;
        private boolean ended;
        private boolean finished;
        private boolean paused;
        private boolean delivering;
        private int owed;
        /// We have sent our last frame on it.
        boolean sent;
        /// Reset by either side, or lost.
        boolean dead;

        int id;

        abstract void onChunk(ByteBuf chunk, boolean last);

        abstract void onTrailers(Fields trailers);

        abstract void onPeerReset(long code);

        /// Closed without a frame that says so.
        abstract void onLost();

        abstract void onWritable();

        /// What is wrong with more of a body; null where nothing is.
        @Nullable
        String objection(ByteBuf more) {
            return null;
        }

        /// The peer has said all of what its reader may still hear, whatever becomes of the stream.
        boolean isWhole() {
            return false;
        }

        boolean ended() {
            return ended;
        }

        /// The peer's head was its last frame.
        void endedByHead() {
            ended = true;
            finished = true;
        }

        boolean finished() {
            return finished;
        }

        void received(ByteBuf data, boolean last) {
            ended = last;
            if (data.isReadable() || last) {
                hold(data);
            }
            deliver();
        }

        /// A window of frames of one byte each must not cost more than a window of bytes.
        private void hold(ByteBuf data) {
            boolean passesOn = held.isEmpty() && !paused;
            if (passesOn || data.readableBytes() >= SMALL) {
                held.add(data.retain());
                gathering = null;
                return;
            }
            var tail = gathering;
            if (tail == null || tail.maxWritableBytes() < data.readableBytes()) {
                tail = ctx().alloc().buffer(SMALL, GATHERED);
                held.add(tail);
                gathering = tail;
            }
            tail.writeBytes(data);
        }

        void receivedTrailers(Fields trailers) {
            ended = true;
            heldTrailers = trailers;
            deliver();
        }

        void pauseReading() {
            paused = true;
        }

        void resumeReading() {
            paused = false;
            deliver();
        }

        private void deliver() {
            if (delivering) {
                return;
            }
            delivering = true;
            try {
                while (!paused && !dead && !finished) {
                    repay();
                    var chunk = held.poll();
                    if (held.isEmpty()) {
                        gathering = null;
                    }
                    if (chunk == null) {
                        if (heldTrailers != null) {
                            finished = true;
                            onTrailers(heldTrailers);
                        }
                        break;
                    }
                    owed += chunk.readableBytes();
                    boolean last = ended && heldTrailers == null && held.isEmpty();
                    finished = last;
                    onChunk(chunk, last);
                }
                if (!paused) {
                    repay();
                }
            } finally {
                delivering = false;
            }
        }

        /// Gives the peer credit for what was taken from us.
        private void repay() {
            if (owed > 0) {
                int n = owed;
                owed = 0;
                var stream = connection.stream(id);
                if (stream != null) {
                    try {
                        if (connection.local().flowController().consumeBytes(stream, n)) {
                            flushLater();
                        }
                    } catch (Http2Exception broken) {
                        handler.onError(ctx(), true, broken);
                    }
                }
            }
        }

        /// What is held will never be delivered. The flow controller returns the connection's credit when the stream
        /// closes.
        void discard() {
            gathering = null;
            for (var chunk = held.poll(); chunk != null; chunk = held.poll()) {
                chunk.release();
            }
        }

        void writeHead(Http2Headers headers, boolean last) {
            sent |= last;
            handler.encoder().writeHeaders(ctx(), id, headers, 0, last, ctx().newPromise());
            flushLater();
        }

        void writeData(ByteBuf chunk, boolean last) {
            if (dead || sent) {
                chunk.release();
                return;
            }
            if (!last && !chunk.isReadable()) {
                chunk.release();
                return;
            }
            sent = last;
            handler.encoder().writeData(ctx(), id, chunk, 0, last, ctx().newPromise());
            flushLater();
        }

        /// Ends our direction; `then` once all of it has gone out, in which case the stream may be no more.
        void writeEnd(Runnable then) {
            if (!dead && !sent) {
                sent = true;
                handler.encoder()
                        .writeData(
                                ctx(),
                                id,
                                Unpooled.EMPTY_BUFFER,
                                0,
                                true,
                                ctx().newPromise().addListener(_ -> then.run()));
                flushLater();
            }
        }

        void writeTrailers(Fields trailers) {
            if (!dead && !sent) {
                if (trailers.count() == 0) {
                    writeData(Unpooled.EMPTY_BUFFER, true);
                } else {
                    writeHead(Heads.trailers(trailers), true);
                }
            }
        }

        void writeReset(Http2Error code) {
            if (!dead) {
                dead = true;
                discard();
                past.reset(id);
                handler.resetStream(ctx(), id, code.code(), ctx().newPromise());
                flushLater();
            }
        }

        boolean writable() {
            var stream = connection.stream(id);
            return stream != null && connection.remote().flowController().isWritable(stream);
        }
    }

    static Http2Error code(Reset reason) {
        return switch (reason) {
            case CANCELLED, TIMED_OUT -> Http2Error.CANCEL;
            case REFUSED -> Http2Error.REFUSED_STREAM;
            case MALFORMED -> Http2Error.PROTOCOL_ERROR;
            case CONNECTION_LOST, INTERNAL -> Http2Error.INTERNAL_ERROR;
        };
    }
}
