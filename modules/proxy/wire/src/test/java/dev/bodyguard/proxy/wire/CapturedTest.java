package dev.bodyguard.proxy.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/// What is made of connections that the kernel hands over, whichever destination it told. That it tells it is shown
/// where there are namespaces to redirect in.
class CapturedTest {
    private static final InetSocketAddress MEANT = new InetSocketAddress("10.1.2.3", 8080);

    @Test
    @EnabledOnOs(OS.LINUX)
    void turnsAwayWhoCallsThePortItself() throws Exception {
        try (var rig = new Rig();
                var listener = Listener.capturedOutbound(
                        rig.loops, Rig.anyPort(), Limits.DEFAULTS, Rig.echo(), _ -> new TunnelListener() {}, rig);
                var socket = Rig.socket(listener)) {
            assertThat(socket.getInputStream().read()).isNegative();

            assertThat(rig.hears("capture"))
                    .contains("meant for this proxy's own port "
                            + listener.address().getPort());
        }
    }

    @Test
    void takesHttpAsWhatItIs() throws Exception {
        try (var rig = new Rig();
                var listener = captured(rig, rig.relay(rig.plain(rig.outbound(Rig.echo()))), nowhere(), null)) {
            var answer = Rig.call(listener, "GET /pay HTTP/1.1\r\nHost: payments\r\nConnection: close\r\n\r\n");

            assertThat(answer).startsWith("HTTP/1.1 200 ").contains("hello payments");
            assertThat(rig.hears("/pay")).endsWith("from null to 10.1.2.3:8080");
        }
    }

    @Test
    void takesPeersByWhatTheyProveAndOthersByWhatTheySay() throws Exception {
        try (var rig = new Rig();
                var inbound = captured(rig, rig.relay(rig.plain(rig.outbound(Rig.echo()))), nowhere(), rig.payments);
                var front = captured(rig, rig.relay(rig.mtls(inbound, "payments")), nowhere(), null)) {
            var request = "GET /pay HTTP/1.1\r\nHost: payments\r\nConnection: close\r\n\r\n";

            assertThat(Rig.call(front, request)).contains("hello payments");
            assertThat(rig.hears("sa/checkout")).contains("/pay");

            assertThat(Rig.call(inbound, request)).contains("hello payments");
            assertThat(rig.hears("/pay")).contains("from null");
        }
    }

    @Test
    void leavesTheAppsOwnTlsToTheApp() throws Exception {
        try (var rig = new Rig();
                var app = new ServerSocket(0, 1, Rig.anyPort().getAddress());
                var listener = captured(rig, Rig.echo(), to(rig, app), rig.payments);
                var socket = Rig.socket(listener);
                var tls = tls(socket, "shop.example")) {
            Thread.ofVirtual().start(() -> {
                try {
                    tls.startHandshake();
                } catch (IOException _) {
                    // There is no TLS behind this.
                }
            });

            try (var accepted = app.accept()) {
                assertThat(accepted.getInputStream().readNBytes(1)).containsExactly(ClientHello.HANDSHAKE_RECORD);
            }
        }
    }

    @Test
    void leavesACallToAnotherProxyToThatProxy() throws Exception {
        try (var rig = new Rig();
                var proxy = new ServerSocket(0, 1, Rig.anyPort().getAddress());
                var listener = captured(rig, Rig.echo(), to(rig, proxy), null);
                var socket = Rig.socket(listener)) {
            socket.getOutputStream().write("CONNECT example:443 HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));

            try (var accepted = proxy.accept()) {
                assertThat(Rig.readUntil(accepted.getInputStream(), "\r\n\r\n")).startsWith("CONNECT example:443 ");
            }
        }
    }

    @Test
    void letsAServerSpeakFirstAlsoWhereAPeerMightCome() throws Exception {
        try (var rig = new Rig();
                var app = new ServerSocket(0, 1, Rig.anyPort().getAddress());
                var listener = captured(rig, Rig.echo(), to(rig, app), rig.payments);
                var socket = Rig.socket(listener);
                var accepted = app.accept()) {
            accepted.getOutputStream().write("220 ready\r\n".getBytes(StandardCharsets.US_ASCII));

            assertThat(Rig.readUntil(socket.getInputStream(), "\r\n")).isEqualTo("220 ready\r\n");
        }
    }

    /// As if the kernel had said so.
    private static Listener captured(Rig rig, RequestHandler requests, TunnelHandler tunnels, @Nullable MeshTls tls)
            throws IOException {
        return Listener.bind(
                Rig.anyPort(),
                Listener.shared(rig.loops, Limits.DEFAULTS, requests, null, rig),
                front -> {
                    front.captured(MEANT);
                    return Sniffer.ofCaptured(
                            front, tunnels, tls == null ? null : new Sniffer.Peers(tls, Set.of("istio-h2")), null);
                },
                false);
    }

    private static TunnelHandler nowhere() {
        return _ -> new TunnelListener() {};
    }

    private static TunnelHandler to(Rig rig, ServerSocket server) {
        return tunnel -> {
            tunnel.dial(Rig.plain(new InetSocketAddress(server.getInetAddress(), server.getLocalPort())), rig.payments);
            return new TunnelListener() {};
        };
    }

    private static SSLSocket tls(Socket below, String server) throws IOException, GeneralSecurityException {
        var socket = (SSLSocket)
                SSLContext.getDefault().getSocketFactory().createSocket(below, server, below.getPort(), true);
        var parameters = socket.getSSLParameters();
        parameters.setServerNames(List.of(new SNIHostName(server)));
        socket.setSSLParameters(parameters);
        return socket;
    }
}
