package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.proxy.engine.Resources;
import dev.bodyguard.proxy.wire.Fields;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.function.IntFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What callers are told of an app that breaks HTTP/2's rules, through both sidecars.
class HostileAppTest {
    private static final int HEADERS = 1;
    private static final int SETTINGS = 4;
    private static final int ENDS_ALL = 5;

    private TestAuthority authority;
    private ServerSocket app;
    private volatile IntFunction<byte[]> answer = stream -> frame(HEADERS, ENDS_ALL, stream, "\u0088");
    private TestSidecar callee;
    private TestSidecar caller;

    @BeforeEach
    void start() throws IOException {
        authority = new TestAuthority("cluster.local");
        app = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.startVirtualThread(this::accept);
        int port = app.getLocalPort();
        callee = new TestSidecar("payment-service", port, authority.svid("payment-service"));
        callee.config
                .put(Resources.LISTENER, "inbound", Given.inbound(port))
                .put(Resources.LISTENER, "outbound", Given.outboundAllowingAny())
                .put(Resources.CLUSTER, "inbound|" + port + "||", Given.inboundCluster(port));
        callee.follow();
        TestSidecar.eventually(
                "the app's cluster is known", () -> callee.plan().cluster("inbound|" + port + "||") != null);
        caller = new TestSidecar("checkout", 1, authority.svid("checkout"));
        caller.config
                .put(Resources.LISTENER, "outbound", Given.outboundAllowingAny())
                .put(
                        Resources.CLUSTER,
                        Given.CLUSTER,
                        Given.cluster(authority.id("payment-service").toString()))
                .put(Resources.ASSIGNMENT, Given.CLUSTER, Given.meshed(callee.inboundPort()))
                .put(
                        Resources.VIRTUAL_HOST,
                        "80/payment-service",
                        Given.host("80/payment-service", Given.route(Given.to(Given.CLUSTER))));
        caller.follow();
    }

    @AfterEach
    void stop() throws IOException {
        caller.close();
        callee.close();
        app.close();
    }

    @Test
    void areToldWhatIsWrongWithAnAnswer() {
        answer = stream -> frame(HEADERS, ENDS_ALL, stream, "\0\3x-a\0011");

        var told = get();

        assertThat(told.status()).isEqualTo(502);
        assertThat(told.body()).contains("an HTTP/2 answer without a :status of three digits");
        assertThat(callee.line(1))
                .contains("\"response_code\":502", "\"response_flags\":\"UPE\"", ":status of three digits");
        assertThat(caller.line(1)).contains("\"response_code\":502");
    }

    @Test
    void areToldWhatIsWrongWithAConnection() {
        answer = _ -> frame(0, 0, 0, "x");

        var told = get();

        assertThat(told.status()).isEqualTo(503);
        assertThat(told.body()).contains("it breaks HTTP/2's rules: ");
        assertThat(callee.line(1))
                .contains("\"response_code\":503", "\"response_flags\":\"UC\"", "it breaks HTTP/2's rules: ");
    }

    @Test
    void areServedOnceItDoesNot() {
        answer = _ -> frame(0, 0, 0, "x");
        assertThat(get().status()).isEqualTo(503);

        answer = stream -> frame(HEADERS, ENDS_ALL, stream, "\u0088");

        assertThat(get().status()).isEqualTo(200);
        assertThat(callee.doubts).as("nobody doubts that the app listens").hasValue(0);
    }

    private Http2Answer get() {
        return caller.http2("GET", "payment-service", "/pay", Fields.of("te", "trailers"), "");
    }

    // -- the app

    private void accept() {
        while (true) {
            try {
                var socket = app.accept();
                Thread.startVirtualThread(() -> serve(socket));
            } catch (IOException _) {
                return;
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            var in = new DataInputStream(socket.getInputStream());
            in.readFully(new byte["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".length()]);
            socket.getOutputStream().write(frame(SETTINGS, 0, 0, ""));
            while (true) {
                var payload = new byte[in.readUnsignedByte() << 16 | in.readUnsignedShort()];
                int type = in.readUnsignedByte();
                in.readUnsignedByte();
                int stream = in.readInt();
                in.readFully(payload);
                if (type == HEADERS) {
                    socket.getOutputStream().write(answer.apply(stream));
                }
            }
        } catch (IOException _) {
            // The other side has closed.
        }
    }

    private static byte[] frame(int type, int flags, int stream, String payload) {
        return ByteBuffer.allocate(9 + payload.length())
                .put((byte) 0)
                .putShort((short) payload.length())
                .put((byte) type)
                .put((byte) flags)
                .putInt(stream)
                .put(payload.getBytes(StandardCharsets.ISO_8859_1))
                .array();
    }
}
