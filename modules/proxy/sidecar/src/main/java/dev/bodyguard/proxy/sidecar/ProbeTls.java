package dev.bodyguard.proxy.sidecar;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import javax.net.ssl.SSLException;

/// TLS to the app over a blocking socket, as the kubelet's probes have it: whoever answers is the app, whatever its
/// certificate says. By the proxy's own TLS: Java's reads no certificate without an issuer, and loads megabytes that
/// nothing else here needs.
final class ProbeTls implements AutoCloseable {
    private static final int RECORD = 16 << 10;

    private final Socket below;
    private final long until;
    private final EmbeddedChannel channel;

    /// @param until when to give up, of [System#nanoTime()]
    ProbeTls(Socket below, long until) throws SSLException {
        this.below = below;
        this.until = until;
        this.channel = new EmbeddedChannel(Anybody.CONTEXT.newHandler(UnpooledByteBufAllocator.DEFAULT));
    }

    /// Sends it once hands are shaken, which [#read] does.
    void send(byte[] bytes) throws IOException {
        var _ = channel.writeAndFlush(Unpooled.wrappedBuffer(bytes)); // reading tells why it could not be sent
        pass();
    }

    /// The next byte that the app says; -1 where it has ended.
    int read() throws IOException {
        while (true) {
            for (ByteBuf said = said(); said != null; said = said()) {
                if (said.isReadable()) {
                    return said.readUnsignedByte();
                }
                channel.<ByteBuf>readInbound().release();
            }
            if (System.nanoTime() > until) {
                throw new SocketTimeoutException();
            }
            byte[] record = new byte[RECORD];
            int length = below.getInputStream().read(record);
            if (length < 0) {
                return -1;
            }
            take(Unpooled.wrappedBuffer(record, 0, length));
            pass();
        }
    }

    private ByteBuf said() {
        return (ByteBuf) channel.inboundMessages().peek();
    }

    private void take(ByteBuf bytes) throws IOException {
        try {
            channel.writeInbound(bytes);
        } catch (Exception refused) { // the channel throws what its handlers met, also what it does not declare
            throw new IOException(refused.getMessage(), refused);
        }
    }

    private void pass() throws IOException {
        for (ByteBuf bytes = channel.readOutbound(); bytes != null; bytes = channel.readOutbound()) {
            bytes.readBytes(below.getOutputStream(), bytes.readableBytes());
            bytes.release();
        }
        below.getOutputStream().flush();
    }

    @Override
    public void close() {
        channel.finishAndReleaseAll();
    }

    private static final class Anybody {
        static final SslContext CONTEXT = context();

        private static SslContext context() {
            try {
                return SslContextBuilder.forClient()
                        .sslProvider(OpenSsl.isAvailable() ? SslProvider.OPENSSL : SslProvider.JDK)
                        .trustManager(InsecureTrustManagerFactory.INSTANCE)
                        .build();
            } catch (SSLException impossible) {
                throw new IllegalStateException("TLS that trusts anybody needs nothing", impossible);
            }
        }
    }
}
