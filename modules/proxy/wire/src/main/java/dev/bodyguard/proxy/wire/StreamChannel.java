package dev.bodyguard.proxy.wire;

import io.netty.buffer.ByteBuf;
import io.netty.channel.AbstractChannel;
import io.netty.channel.Channel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import java.net.SocketAddress;
import java.util.Objects;

/// One stream of HTTP/2 as a connection of its own, for whatever is spoken inside: the tunnel of a CONNECT (RFC 9113
/// §8.5). Bytes are frames of DATA, FIN is END_STREAM in either direction, and a reader that stops gives no credit.
@SuppressWarnings("FutureReturnValueIgnored") // how a write or a close ended is told by the channel
final class StreamChannel extends AbstractChannel implements DuplexChannel {
    private static final ChannelMetadata METADATA = new ChannelMetadata(false);

    private final Under under;
    private final Config config = new Config(this);
    private boolean open = true;
    private boolean inputEnded;
    private boolean outputEnded;

    /// The stream, as its channel sees it.
    interface Under {
        /// Takes over `chunk`.
        void write(ByteBuf chunk);

        /// Room for more, as the peer's credit and the connection have it.
        boolean isWritable();

        /// Our direction ends.
        void end();

        /// Nobody reads any more, nor writes.
        void leave();

        void pause();

        void resume();
    }

    /// @param parent the connection that carries the stream
    StreamChannel(Channel parent, Under under) {
        super(parent);
        this.under = under;
    }

    // -- what the stream tells, on the loop

    /// Takes over `chunk`.
    void received(ByteBuf chunk, boolean last) {
        if (!open) {
            chunk.release();
            return;
        }
        if (chunk.isReadable()) {
            pipeline().fireChannelRead(chunk);
        } else {
            chunk.release();
        }
        pipeline().fireChannelReadComplete();
        if (last && open) {
            inputEnded = true;
            if (config.halfClosure) {
                pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
            } else {
                lost();
            }
        }
    }

    void writable() {
        if (open) {
            unsafe().flush();
        }
    }

    /// The stream is no more, as when a socket is closed by the other side. No handler is asked: one that wants to
    /// say something before would wait until it is sent.
    void lost() {
        unsafe().close(unsafe().voidPromise());
    }

    // -- what a handler asks for

    @Override
    protected void doBeginRead() {
        under.resume();
    }

    @Override
    protected void doWrite(ChannelOutboundBuffer out) {
        while (under.isWritable()) {
            if (!(out.current() instanceof ByteBuf bytes)) {
                return;
            }
            under.write(bytes.retain());
            out.remove();
        }
        // What carries nothing needs no room.
        while (out.current() instanceof ByteBuf bytes && !bytes.isReadable()) {
            out.remove();
        }
    }

    @Override
    protected Object filterOutboundMessage(Object message) {
        if (message instanceof ByteBuf) {
            return message;
        }
        throw new UnsupportedOperationException("a stream carries bytes, not " + message.getClass());
    }

    @Override
    protected void doClose() {
        open = false;
        under.leave();
    }

    @Override
    public ChannelFuture shutdownOutput() {
        return shutdownOutput(newPromise());
    }

    @Override
    public ChannelFuture shutdownOutput(ChannelPromise promise) {
        if (!outputEnded) {
            outputEnded = true;
            under.end();
        }
        return promise.setSuccess();
    }

    // -- what a channel is

    @Override
    public boolean isOpen() {
        return open;
    }

    @Override
    public boolean isActive() {
        return open;
    }

    @Override
    public ChannelMetadata metadata() {
        return METADATA;
    }

    @Override
    public ChannelConfig config() {
        return config;
    }

    @Override
    public boolean isInputShutdown() {
        return inputEnded;
    }

    @Override
    public boolean isOutputShutdown() {
        return outputEnded;
    }

    @Override
    public boolean isShutdown() {
        return inputEnded && outputEnded;
    }

    @Override
    public ChannelFuture shutdownInput() {
        return shutdownInput(newPromise());
    }

    @Override
    public ChannelFuture shutdownInput(ChannelPromise promise) {
        return promise.setFailure(new UnsupportedOperationException("a peer's direction is its own to end"));
    }

    @Override
    public ChannelFuture shutdown() {
        return shutdown(newPromise());
    }

    @Override
    public ChannelFuture shutdown(ChannelPromise promise) {
        return close(promise);
    }

    @Override
    protected boolean isCompatible(EventLoop loop) {
        return loop.equals(Objects.requireNonNull(parent()).eventLoop());
    }

    @Override
    protected SocketAddress localAddress0() {
        return Objects.requireNonNull(parent()).localAddress();
    }

    @Override
    protected SocketAddress remoteAddress0() {
        return Objects.requireNonNull(parent()).remoteAddress();
    }

    @Override
    protected void doBind(SocketAddress local) {
        throw new UnsupportedOperationException("a stream has its connection's address");
    }

    @Override
    protected void doDisconnect() {
        doClose();
    }

    @Override
    protected AbstractUnsafe newUnsafe() {
        return new AbstractUnsafe() {
            @Override
            public void connect(SocketAddress remote, SocketAddress local, ChannelPromise promise) {
                promise.setFailure(new UnsupportedOperationException("a stream is connected"));
            }
        };
    }

    private static final class Config extends DefaultChannelConfig {
        private final StreamChannel stream;
        private boolean halfClosure;

        Config(StreamChannel stream) {
            super(stream);
            this.stream = stream;
            setAllocator(Objects.requireNonNull(stream.parent()).alloc());
            setWriteBufferWaterMark(Loops.WATER);
        }

        @Override
        public <T> boolean setOption(ChannelOption<T> option, T value) {
            if (option.equals(ChannelOption.ALLOW_HALF_CLOSURE)) {
                halfClosure = Boolean.TRUE.equals(value);
                return true;
            }
            return super.setOption(option, value);
        }

        @Override
        protected void autoReadCleared() {
            stream.under.pause();
        }
    }
}
