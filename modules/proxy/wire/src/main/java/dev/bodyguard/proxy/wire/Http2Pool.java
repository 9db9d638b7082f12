package dev.bodyguard.proxy.wire;

import dev.bodyguard.proxy.engine.Transport;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// HTTP/2 connections to one target: one, until it carries as many streams as the peer allows.
@SuppressWarnings("FutureReturnValueIgnored") // how a write or a close ended is told by the channel
final class Http2Pool implements Pools.Pool, Swept.Item {
    /// What may be assumed of a peer whose settings have not come.
    private static final int STREAMS_BEFORE_SETTINGS = 100;

    private final Pools pools;
    private final Loop loop;
    private final Target target;
    private final List<Link> links = new ArrayList<>(1);

    Http2Pool(Pools pools, Loop loop, Target target) {
        this.pools = pools;
        this.loop = loop;
        this.target = target;
        loop.swept().add(this);
    }

    @Override
    public UpstreamStream open(Request head, boolean last, ResponseListener listener) {
        int waiting = 0;
        for (int i = 0; i < links.size(); i++) {
            var link = links.get(i);
            if (link.hasRoom()) {
                return link.take(head, last, listener);
            }
            waiting += link.waiting.size();
        }
        var link = new Link();
        if (waiting >= pools.limits().pending()) {
            var refused = link.new Outgoing(head, last, listener);
            loop.execute(() -> refused.fail(new Failure.Overflow(
                    target + ": " + pools.limits().pending() + " requests wait for a connection already")));
            return refused;
        }
        if (links.size() >= pools.limits().connections()) {
            var refused = link.new Outgoing(head, last, listener);
            loop.execute(() -> refused.fail(new Failure.Overflow(
                    target + ": " + pools.limits().connections() + " connections stand, which is the limit")));
            return refused;
        }
        links.add(link);
        var stream = link.take(head, last, listener);
        link.connect();
        return stream;
    }

    @Override
    public void sweep(long now) {
        for (int i = links.size() - 1; i >= 0; i--) {
            links.get(i).sweep(now);
        }
        if (links.isEmpty()) {
            loop.swept().remove(this);
            pools.forget(loop, target, this);
        }
    }

    /// Checks who the server is before anything is sent to it.
    private static final class Identified extends ChannelInboundHandlerAdapter {
        private final Link link;
        private final Transport.Mtls wanted;

        Identified(Link link, Transport.Mtls wanted) {
            this.link = link;
            this.wanted = wanted;
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
            if (!(event instanceof SslHandshakeCompletionEvent handshake)) {
                super.userEventTriggered(ctx, event);
                return;
            }
            if (!handshake.isSuccess()) {
                link.failed(handshake.cause());
                link.closed();
                ctx.close();
                return;
            }
            var ssl = ctx.pipeline().get(SslHandler.class);
            var objection = MeshTls.objection(MeshTls.peerOf(ssl.engine().getSession()), wanted);
            if (objection == null && !"h2".equals(ssl.applicationProtocol())) {
                objection = "the server did not agree to speak HTTP/2";
            }
            if (objection != null) {
                link.reason = objection;
                link.closed();
                ctx.close();
                return;
            }
            ctx.pipeline().replace(this, null, link.handler);
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) throws Exception {
            link.closed();
            super.channelInactive(ctx);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            link.failed(cause);
            ctx.close();
        }
    }

    private final class Link extends Http2Link {
        private final ArrayDeque<Outgoing> waiting = new ArrayDeque<>();
        private @Nullable Channel channel;
        private @Nullable String reason;
        private Loop.@Nullable Timer timeout;
        private boolean ready;
        private boolean leaving;
        private boolean over;
        private boolean opened;
        private boolean answered;
        private boolean late;
        private boolean served;
        /// Why the last head could not be sent.
        private @Nullable Failure unsent;

        /// RFC 8441 §3: the peer knows other protocols than HTTP.
        private boolean upgrades;
        private int lastAccepted = Integer.MAX_VALUE;
        private long peerStreams = STREAMS_BEFORE_SETTINGS;
        private long since = System.nanoTime();

        Link() {
            super(false, Http2Pool.this.loop, pools.limits());
        }

        boolean hasRoom() {
            return !leaving && !over && connection.local().numActiveStreams() + waiting.size() < peerStreams;
        }

        Outgoing take(Request head, boolean last, ResponseListener listener) {
            var stream = new Outgoing(head, last, listener);
            if (ready) {
                stream.start();
            } else {
                waiting.add(stream);
            }
            return stream;
        }

        void connect() {
            timeout = loop.after(target.connectTimeout(), () -> {
                if (!over && (!ready || peerStreams == 0)) {
                    late = true;
                    reason = (ready ? "it allows no request on the connection within " : "no HTTP/2 connection within ")
                            + target.connectTimeout().toMillis() + " ms";
                    closed();
                    if (channel != null) {
                        channel.close();
                    }
                }
            });
            pools.connect(loop, target, new ChannelInitializer<>() {
                        @Override
                        protected void initChannel(Channel made) {
                            channel = made;
                            if (target.transport() instanceof Transport.Mtls wanted) {
                                var ssl = pools.tls()
                                        .client()
                                        .newHandler(
                                                made.alloc(),
                                                wanted.sni(),
                                                target.address().getPort());
                                ssl.setHandshakeTimeoutMillis(
                                        target.connectTimeout().toMillis());
                                made.pipeline().addLast(ssl, new Identified(Link.this, wanted));
                            } else {
                                made.pipeline().addLast(handler);
                            }
                        }
                    })
                    .addListener((ChannelFutureListener) connected -> {
                        if (!connected.isSuccess()) {
                            reason = connected.cause().getMessage();
                            closed();
                        }
                    });
        }

        void sweep(long now) {
            if (connection.numActiveStreams() > 0 || !waiting.isEmpty()) {
                since = now;
            } else if (now - since > limits.upstreamIdle().toNanos() && channel != null) {
                leave();
                channel.close();
            }
        }

        private void leave() {
            leaving = true;
            links.remove(this);
        }

        @Override
        public void onSettingsRead(ChannelHandlerContext ctx, Http2Settings settings) {
            upgrades |= Boolean.TRUE.equals(settings.connectProtocolEnabled());
            var allowed = settings.maxConcurrentStreams();
            if (allowed != null) {
                peerStreams = allowed;
            } else if (!ready) {
                peerStreams = limits.concurrentStreams();
            }
            ready = true;
            if (timeout != null && peerStreams > 0) {
                timeout.cancel();
            }
            startWaiting();
        }

        private void startWaiting() {
            while (ready && !over && !leaving && connection.local().numActiveStreams() < peerStreams) {
                var next = waiting.poll();
                if (next == null) {
                    break;
                }
                next.start();
                next.tellWritable();
            }
        }

        @Override
        public void onGoAwayReceived(int lastStreamId, long code, ByteBuf debug) {
            lastAccepted = lastStreamId;
            reason = "it is going away (" + Http2Error.valueOf(code) + ")";
            leave();
            for (var stream = waiting.poll(); stream != null; stream = waiting.poll()) {
                stream.fail(new Failure.Refused(target + ": " + reason));
            }
            loop.execute(this::closeWhenLeft);
        }

        private void closeWhenLeft() {
            if (leaving && !over && connection.numActiveStreams() == 0 && channel != null) {
                channel.close();
            }
        }

        @Override
        public void onStreamRemoved(Http2Stream stream) {
            // Not from within the frame that closed it: the writer is still at work.
            if (leaving || !waiting.isEmpty()) {
                loop.execute(() -> {
                    startWaiting();
                    closeWhenLeft();
                });
            }
        }

        @Override
        void opened() {
            opened = true;
        }

        @Override
        void notHttp2(Throwable how) {
            answered = true;
            if (reason == null) {
                reason = "it breaks HTTP/2's rules: " + sentence(how);
            }
        }

        /// RFC 9113 §5.1: the codec, which forgets a stream with its end, answers each frame that was on its way to
        /// one by a reset; so many, where much is cancelled, that it would end the connection as under attack.
        @Override
        Judgement judge(Http2Exception.StreamException how) {
            int id = how.streamId();
            if (how.error() == Http2Error.FLOW_CONTROL_ERROR) {
                // Where SETTINGS did it, the codec is half-way through all windows (§6.9.2), and does not tell that
                // from a WINDOW_UPDATE.
                return new Judgement.Instead(
                        Http2Exception.connectionError(Http2Error.FLOW_CONTROL_ERROR, "%s", sentence(how)));
            }
            if (connection.stream(id) != null || how.error() != Http2Error.STREAM_CLOSED) {
                return new Judgement.Stands();
            }
            return past.of(id) == PastStreams.Past.ENDED
                    ? new Judgement.Instead(Http2Exception.connectionError(
                            Http2Error.STREAM_CLOSED, "stream %d goes on after its end", id))
                    : new Judgement.ReadOver();
        }

        /// What the codec or this class objects to about one answer.
        @Override
        void broken(Http2Exception.StreamException how) {
            if (at(how.streamId()) instanceof Outgoing stream) {
                stream.brokeOff(
                        how instanceof Http2Exception.HeaderListSizeException
                                ? "a head with more than " + limits.headBytes() + " bytes of fields"
                                : sentence(how));
            }
        }

        @Override
        void unsent(Http2Exception how) {
            unsent = how instanceof Http2Exception.HeaderListSizeException
                    ? new Failure.TooLarge(target + ": the request's head has more bytes than it takes")
                    : new Failure.Refused(target + ": " + sentence(how));
        }

        /// RFC 9113 §6.6: this side has said that it takes none, before it asked for anything.
        @Override
        public void onPushPromiseRead(
                ChannelHandlerContext ctx, int id, int promised, Http2Headers headers, int padding)
                throws Http2Exception {
            throw Http2Exception.connectionError(
                    Http2Error.PROTOCOL_ERROR, "PUSH_PROMISE, which it was told not to send");
        }

        @Override
        void failed(Throwable cause) {
            if (reason == null) {
                reason = MeshTls.sentence(cause);
            }
        }

        @Override
        void closed() {
            if (over) {
                return;
            }
            over = true;
            leave();
            if (timeout != null) {
                timeout.cancel();
            }
            for (var stream = waiting.poll(); stream != null; stream = waiting.poll()) {
                stream.fail(unserved());
            }
        }

        /// Why what waits for the connection will not be sent on it.
        private Failure unserved() {
            if (ready) {
                return new Failure.Refused(target + ": " + (reason == null ? "the connection was closed" : reason));
            }
            if (opened && !late && target.transport() instanceof Transport.Plaintext) {
                return new Failure.NotHttp2(
                        target + (answered ? " does not answer in HTTP/2" : " hung up on HTTP/2"), answered);
            }
            return new Failure.ConnectFailed(
                    target + ": " + (reason == null ? "the connection was closed before it was ready" : reason));
        }

        @Override
        public void onHeadersRead(ChannelHandlerContext ctx, int id, Http2Headers headers, int padding, boolean last)
                throws Http2Exception {
            if (id % 2 == 0) {
                throw Http2Exception.connectionError(
                        Http2Error.PROTOCOL_ERROR, "stream %d, which a server may not begin", id);
            }
            if (at(id) instanceof Outgoing stream && !stream.dead) {
                try {
                    stream.heads(headers, last);
                } catch (Malformed malformed) {
                    throw Http2Exception.streamError(id, Http2Error.PROTOCOL_ERROR, malformed.sentence());
                }
            }
        }

        private final class Outgoing extends Http2Link.Stream implements UpstreamStream {
            private final Request head;
            private final ResponseListener listener;
            private final Early early = new Early();
            private boolean complete;
            private boolean started;
            private boolean headSeen;
            /// An answer that has a head only (RFC 9110 §6.4.1).
            private boolean bodyless;

            private int interims;
            private boolean done;
            private boolean reused;
            /// The stream carries another protocol: its sides end on their own.
            private boolean switched;

            private boolean answerEnded;

            Outgoing(Request head, boolean last, ResponseListener listener) {
                this.head = head;
                this.listener = listener;
                this.complete = last;
            }

            void start() {
                if (done) {
                    return;
                }
                if (head.protocol() != null && !upgrades) {
                    loop.execute(() -> fail(new Failure.NoUpgrades(
                            target + " has not said that it knows other protocols in HTTP/2 (RFC 8441)")));
                    return;
                }
                int next = connection.local().incrementAndGetNextStreamId();
                if (next < 0) {
                    leave();
                    fail(new Failure.Refused(target + ": the connection has no stream ids left"));
                    return;
                }
                id = next;
                started = true;
                reused = served;
                served = true;
                boolean last = complete && early.isEmpty();
                writeHead(Heads.block(head), last);
                var made = connection.stream(id);
                if (made == null) {
                    dead = true;
                    var why = unsent == null ? new Failure.Refused(target + ": no stream could be opened") : unsent;
                    unsent = null;
                    loop.execute(() -> fail(why));
                    return;
                }
                made.setProperty(key, this);
                listener.onOpen(reused);
                if (!early.isEmpty()) {
                    early.moveTo(this::writeData, this::writeTrailers);
                }
            }

            void tellWritable() {
                if (!done && !complete && mayWrite()) {
                    listener.onWritable();
                }
            }

            /// What asks for another protocol says nothing of it before that is granted.
            private boolean mayWrite() {
                return head.protocol() == null || switched;
            }

            void heads(Http2Headers headers, boolean last) {
                if (headSeen) {
                    receivedTrailers(Heads.checkCount(Heads.fields(headers), limits.fieldCount()));
                    return;
                }
                var answer = Heads.response(headers);
                Heads.checkCount(answer.fields(), limits.fieldCount());
                if (answer.status() < 200) {
                    if (last || answer.status() == 101) {
                        throw new Malformed(502, "an interim answer that ends the stream or switches protocols");
                    }
                    if (++interims > Limits.INTERIM_ANSWERS) {
                        throw new Malformed(502, "more than " + Limits.INTERIM_ANSWERS + " interim answers");
                    }
                    listener.onInterim(answer);
                    return;
                }
                bodyless = answer.status() == 204
                        || answer.status() == 304
                        || head.method().equals("HEAD");
                if (last && !bodyless && head.protocol() == null && Heads.announcesBody(answer.fields())) {
                    throw new Malformed(502, "an answer without the body that its content-length announces");
                }
                headSeen = true;
                if (head.protocol() != null) {
                    answer = Heads.answeredToConnect(answer);
                    switched = answer.status() == 101;
                    complete |= !switched;
                }
                if (last) {
                    endedByHead();
                    answered();
                }
                listener.onHead(answer, last && !switched);
                if (switched) {
                    if (last) {
                        listener.onData(Unpooled.EMPTY_BUFFER, true);
                    }
                    onWritable();
                }
            }

            /// The answer is complete; what is left of the request nobody reads.
            private void answered() {
                answerEnded = true;
                if (switched && !complete) {
                    return;
                }
                done = true;
                if (!sent) {
                    writeReset(Http2Error.NO_ERROR);
                }
            }

            void fail(Failure failure) {
                if (!done) {
                    done = true;
                    early.release();
                    listener.onFailure(failure);
                }
            }

            void brokeOff(String sentence) {
                if (!dead) {
                    dead = true;
                    discard();
                    fail(new Failure.Malformed(target + ": " + sentence, headSeen));
                }
            }

            @Override
            @Nullable
            String objection(ByteBuf more) {
                if (!headSeen) {
                    return "a body before its head";
                }
                return bodyless && more.isReadable() ? "a body where none may be (HEAD, 204, 304)" : null;
            }

            /// RFC 9113 §8.1: an answer that came before its request was read is not lost with the rest of that.
            @Override
            boolean isWhole() {
                return ended() && !switched;
            }

            @Override
            void onChunk(ByteBuf chunk, boolean last) {
                if (done) {
                    chunk.release();
                    return;
                }
                if (last) {
                    answered();
                }
                listener.onData(chunk, last);
            }

            @Override
            void onTrailers(Fields trailers) {
                if (switched) {
                    onChunk(Unpooled.EMPTY_BUFFER, true);
                } else if (!done) {
                    answered();
                    listener.onTrailers(trailers);
                }
            }

            @Override
            void onPeerReset(long code) {
                var error = Http2Error.valueOf(code);
                fail(
                        error == Http2Error.REFUSED_STREAM && !headSeen
                                ? new Failure.Refused(target + " refused the stream")
                                : new Failure.StreamReset(target + " reset the stream (" + error + ")", headSeen));
            }

            @Override
            void onLost() {
                if (id > lastAccepted) {
                    fail(new Failure.Refused(target + ": " + reason));
                } else {
                    fail(new Failure.Closed(
                            target + ": " + (reason == null ? "the connection was closed" : reason), reused, headSeen));
                }
            }

            @Override
            void onWritable() {
                if (!done && !sent && !dead && mayWrite()) {
                    listener.onWritable();
                }
            }

            @Override
            public void data(ByteBuf chunk, boolean last) {
                if (done || complete) {
                    chunk.release();
                    return;
                }
                complete = last;
                if (started) {
                    writeData(chunk, last);
                    done = switched && complete && answerEnded;
                } else {
                    early.data(chunk, last);
                }
            }

            @Override
            public void trailers(Fields trailers) {
                if (!done && !complete) {
                    complete = true;
                    if (started) {
                        writeTrailers(trailers);
                    } else {
                        early.trailers(trailers);
                    }
                }
            }

            @Override
            public void cancel(Reset reason) {
                if (!done) {
                    done = true;
                    early.release();
                    if (started) {
                        writeReset(code(reason));
                    } else {
                        waiting.remove(this);
                    }
                }
            }

            @Override
            public boolean isWritable() {
                return started && !done && !dead && mayWrite() && writable();
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
    }
}
