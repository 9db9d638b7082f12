package dev.bodyguard.xds.server;

import dev.bodyguard.xds.server.ServerTls.ClientCertificates;
import io.grpc.BindableService;
import io.helidon.common.tls.Tls;
import io.helidon.common.tls.TlsClientAuth;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.grpc.GrpcConfig;
import io.helidon.webserver.grpc.GrpcRouting;
import io.helidon.webserver.http2.Http2Config;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Helidon as transport.
record HelidonGrpcServer(WebServer server) implements GrpcServer {
    private static final int LARGEST_REQUEST = 4 << 20;

    static HelidonGrpcServer start(
            Connections most, String host, int port, @Nullable ServerTls tls, List<? extends BindableService> services)
            throws IOException {
        var routing = GrpcRouting.builder();
        services.forEach(routing::service);
        var builder = WebServer.builder()
                .host(host)
                .port(port)
                .shutdownHook(false)
                .maxTcpConnections(most.all())
                .shutdownGracePeriod(Duration.ofMillis(500))
                // Helidon counts a connection idle from its last new request, however busy its streams are.
                .idleConnectionTimeout(Duration.ofDays(3650))
                .addProtocol(Http2Config.builder()
                        .maxConcurrentStreams(10_000)
                        .flowControlTimeout(Duration.ofSeconds(60))
                        .build())
                .addProtocol(GrpcConfig.builder()
                        .enableCompression(false)
                        .maxReadBufferSize(LARGEST_REQUEST)
                        .build())
                .addRouting(routing);
        if (tls != null) {
            builder.tls(tls(tls));
        }
        try {
            var server = builder.build().start();
            // It reports some failures to its log alone.
            if (!server.isRunning() || server.port() <= 0) {
                throw new IOException("cannot listen on " + host + ":" + port + ": the log says why");
            }
            return new HelidonGrpcServer(server);
        } catch (RuntimeException refused) {
            throw new IOException("cannot listen on " + host + ":" + port + ": " + refused.getMessage(), refused);
        }
    }

    private static Tls tls(ServerTls tls) {
        return Tls.builder()
                .privateKey(tls.key())
                .privateKeyCertChain(tls.chain())
                .trust(tls.trust())
                .clientAuth(tls.clients() == ClientCertificates.REQUIRED ? TlsClientAuth.REQUIRED : TlsClientAuth.NONE)
                .addApplicationProtocol("h2")
                .addEnabledProtocol("TLSv1.3")
                .build();
    }

    @Override
    public int port() {
        return server.port();
    }

    @Override
    public void reloadTls(ServerTls tls) {
        server.reloadTls(tls(tls));
    }

    @Override
    public void close() {
        server.stop();
    }
}
