package dev.bodyguard.proxy.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.Test;

class ClientHelloTest {
    @Test
    void tellsTheNameAndTheProtocols() throws Exception {
        assertThat(ClientHello.read(hello("payments.default", "h2", "istio-h2")))
                .isEqualTo(new ClientHello.Reading.Hello(
                        new ClientHello("payments.default", List.of("h2", "istio-h2"), ClientHello.TLS_1_3)));
    }

    @Test
    void tellsTheNewestVersion() throws Exception {
        var engine = SSLContext.getDefault().createSSLEngine();
        engine.setEnabledProtocols(new String[] {"TLSv1.2"});

        assertThat(ClientHello.read(hello(engine))).isInstanceOfSatisfying(ClientHello.Reading.Hello.class, read -> {
            assertThat(read.hello().newest()).isEqualTo(ClientHello.TLS_1_2);
            assertThat(read.hello().newestName()).isEqualTo("TLS 1.2");
        });
    }

    @Test
    void isIncompleteUntilItsLastByte() throws Exception {
        var hello = hello("shop.example", "h2");
        for (int length = 0; length < hello.readableBytes(); length++) {
            assertThat(ClientHello.read(hello.slice(0, length)))
                    .as("%d bytes", length)
                    .isInstanceOf(ClientHello.Reading.Incomplete.class);
        }
    }

    @Test
    void isNotWhatOtherProtocolsSay() {
        for (var text : List.of("GET / HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n", "SSH-2.0-x\r\n", "\u0016no")) {
            assertThat(ClientHello.read(Rig.text(text))).as(text).isInstanceOf(ClientHello.Reading.NotTls.class);
        }
    }

    /// Whatever lengths it claims, nothing but an answer comes out.
    @Test
    void survivesEveryBrokenOne() throws Exception {
        var hello = hello("shop.example", "h2");
        var random = new Random(11);
        for (int round = 0; round < 20_000; round++) {
            var broken = hello.copy();
            for (int changes = random.nextInt(4); changes >= 0; changes--) {
                broken.setByte(random.nextInt(broken.readableBytes()), random.nextInt(256));
            }

            assertThat(ClientHello.read(broken)).isNotNull();

            assertThat(broken.readerIndex()).isZero();
            broken.release();
        }
    }

    private static ByteBuf hello(String server, String... protocols) throws Exception {
        var engine = SSLContext.getDefault().createSSLEngine();
        var parameters = engine.getSSLParameters();
        parameters.setServerNames(List.of(new SNIHostName(server)));
        parameters.setApplicationProtocols(protocols);
        engine.setSSLParameters(parameters);
        return hello(engine);
    }

    private static ByteBuf hello(SSLEngine engine) throws SSLException {
        engine.setUseClientMode(true);
        var bytes = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        engine.wrap(ByteBuffer.allocate(0), bytes);
        return Unpooled.wrappedBuffer(bytes.flip());
    }
}
