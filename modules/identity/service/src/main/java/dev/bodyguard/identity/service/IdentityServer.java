package dev.bodyguard.identity.service;

import dev.bodyguard.identity.authority.Authority;
import dev.bodyguard.identity.spiffe.AcceptedPeers;
import dev.bodyguard.identity.spiffe.MeshTls;
import dev.bodyguard.identity.spiffe.SvidVerifier;
import dev.bodyguard.service.HostPort;
import io.helidon.common.tls.Tls;
import io.helidon.common.tls.TlsClientAuth;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.grpc.GrpcConfig;
import io.helidon.webserver.grpc.GrpcRouting;
import io.helidon.webserver.grpc.ServerContextKeys;
import io.helidon.webserver.http2.Http2Config;
import java.io.IOException;
import java.time.InstantSource;

/// The identity service on a port: TLS that proves the server, tokens that prove the clients.
public final class IdentityServer implements AutoCloseable {
    /// A CSR of ours has 200 bytes, and a connection one call.
    private static final int MOST_CONNECTIONS = 10_000;
    private static final int MOST_CALLS_PER_CONNECTION = 16;
    private static final int LARGEST_REQUEST = 64 << 10;

    private final WebServer server;
    private final ServerSvid svid;
    private final String host;

    private IdentityServer(WebServer server, ServerSvid svid, String host) {
        this.server = server;
        this.svid = svid;
        this.host = host;
    }

    /// Opens the port.
    ///
    /// @param port 0 for any that is free
    /// @param tokens what its clients prove themselves by
    public static IdentityServer start(
            String host, int port, Authority authority, Tokens tokens, Events events, InstantSource clock)
            throws IOException {
        var svid = ServerSvid.start(authority, "identity", events, clock, _ -> {});
        var tls =
                new MeshTls(svid, new SvidVerifier(authority::bundle, clock), new AcceptedPeers.EveryMember(), _ -> {});
        var issuance = new Issuance(authority, tokens, events, IdentityServer::peer, clock);
        var server = WebServer.builder()
                .host(host)
                .port(port)
                .shutdownHook(false)
                .maxTcpConnections(MOST_CONNECTIONS)
                .tls(Tls.builder()
                        .sslContext(tls.context())
                        .clientAuth(TlsClientAuth.NONE)
                        .addEnabledProtocol("TLSv1.3")
                        .addApplicationProtocol("h2")
                        .build())
                .addProtocol(Http2Config.builder()
                        .maxConcurrentStreams(MOST_CALLS_PER_CONNECTION)
                        .build())
                // Whoever can connect can send: nothing is inflated, and a request has its token and a CSR of 200
                // bytes.
                .addProtocol(GrpcConfig.builder()
                        .enableCompression(false)
                        .maxReadBufferSize(LARGEST_REQUEST)
                        .build())
                .addRouting(GrpcRouting.builder().service(issuance))
                .build();
        try {
            server.start();
        } catch (RuntimeException failed) {
            svid.close();
            throw failed;
        }
        return new IdentityServer(server, svid, host);
    }

    /// `host:port`, with the port that was allocated.
    public String address() {
        return HostPort.of(host, server.port());
    }

    /// The port that was allocated.
    public int port() {
        return server.port();
    }

    @Override
    public void close() {
        server.stop();
        svid.close();
    }

    private static String peer() {
        var connection = ServerContextKeys.CONNECTION_CONTEXT.get();
        return connection == null
                ? "unknown address"
                : String.valueOf(connection.remotePeer().address());
    }
}
