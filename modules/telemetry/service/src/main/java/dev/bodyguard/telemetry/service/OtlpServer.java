package dev.bodyguard.telemetry.service;

import dev.bodyguard.identity.spiffe.AcceptedPeers;
import dev.bodyguard.identity.spiffe.MeshTls;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.identity.spiffe.SvidVerifier;
import dev.bodyguard.identity.spiffe.Verdict;
import io.helidon.common.tls.Tls;
import io.helidon.common.tls.TlsClientAuth;
import io.helidon.http.HeaderNames;
import io.helidon.http.RequestException;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.helidon.webserver.http2.Http2Config;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// OTLP over HTTP, for members of the mesh only: `POST /v1/metrics` and `/v1/traces` by mutual TLS 1.3.
final class OtlpServer implements AutoCloseable {
    /// What is parsed at once takes memory; the others wait their turn, a little.
    private static final int AT_ONCE = 2;

    private static final int WAIT_SECONDS = 2;
    private static final int MOST_STREAMS = 8;
    private static final int MOST_CONNECTIONS = 10_000;
    /// Sidecars report every two seconds.
    private static final Duration IDLE = Duration.ofSeconds(30);

    private final Events events;
    private final Reading reading;
    private final Semaphore parsers = new Semaphore(AT_ONCE, true);
    private final WebServer server;

    private OtlpServer(
            String host,
            int port,
            Supplier<Svid> svid,
            InstantSource clock,
            Intake intake,
            Reading reading,
            Events events) {
        this.events = events;
        this.reading = reading;
        // Asks for SVID and roots at each handshake: a renewal needs no reload.
        var tls = new MeshTls(
                svid,
                new SvidVerifier(() -> svid.get().bundle(), clock),
                new AcceptedPeers.EveryMember(),
                refused -> events.refused("a peer", refused.sentence()));
        this.server = WebServer.builder()
                .host(host)
                .port(port)
                .shutdownHook(false)
                .maxTcpConnections(MOST_CONNECTIONS)
                .idleConnectionTimeout(IDLE)
                .idleConnectionPeriod(IDLE.dividedBy(3))
                .tls(Tls.builder()
                        .sslContext(tls.context())
                        .clientAuth(TlsClientAuth.REQUIRED)
                        .addEnabledProtocol("TLSv1.3")
                        .addApplicationProtocol("h2")
                        .addApplicationProtocol("http/1.1")
                        .build())
                .addProtocol(
                        Http2Config.builder().maxConcurrentStreams(MOST_STREAMS).build())
                .routing(routes -> routes.post(
                                "/v1/traces", (request, response) -> take(request, response, intake::traces))
                        .post("/v1/metrics", (request, response) -> take(request, response, intake::metrics)))
                .build();
    }

    /// Listens.
    ///
    /// @param port 0 for any free one
    static OtlpServer start(
            String host,
            int port,
            Supplier<Svid> svid,
            InstantSource clock,
            Intake intake,
            Reading reading,
            Events events)
            throws IOException {
        var server = new OtlpServer(host, port, svid, clock, intake, reading, events);
        try {
            server.server.start();
        } catch (RuntimeException refused) {
            throw new IOException("cannot listen on " + host + ":" + port + ": " + refused.getMessage(), refused);
        }
        return server;
    }

    int port() {
        return server.port();
    }

    @Override
    public void close() {
        server.stop();
    }

    private interface Taking {
        byte[] take(byte[] body, SpiffeId peer) throws Refused;
    }

    private void take(ServerRequest request, ServerResponse response, Taking taking) throws IOException {
        var from = String.valueOf(request.remotePeer().address());
        try {
            var peer = peer(request);
            from = peer.toString();
            var headers = request.headers();
            var body = reading.whole(
                    from,
                    () -> Body.read(
                            request.content().inputStream(),
                            headers.first(HeaderNames.CONTENT_TYPE).orElse(null),
                            headers.first(HeaderNames.CONTENT_ENCODING).orElse(null)));
            response.header("Content-Type", "application/x-protobuf").send(parse(body, peer, taking));
        } catch (Refused refused) {
            events.refused(from, String.valueOf(refused.getMessage()));
            if (refused.status() == 503) {
                response.header("Retry-After", "1");
            }
            response.status(Status.create(refused.status()))
                    .header("Content-Type", "text/plain; charset=utf-8")
                    .send(refused.getMessage() + "\n");
            // What was not read of the body the web server waits for, however long it takes; then this ends it.
            reading.rest(request.content()::consume);
        } catch (RequestException gone) {
            // Its patience was over before ours began, as after this process stood still.
            var why = "the sender gave up before its report was read";
            events.refused(from, why);
            throw new CloseConnectionException(why, gone);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private byte[] parse(byte[] body, SpiffeId peer, Taking taking) throws Refused, InterruptedException {
        if (!parsers.tryAcquire(WAIT_SECONDS, TimeUnit.SECONDS)) {
            throw new Refused(503, "too many reports at once");
        }
        try {
            return taking.take(body, peer);
        } finally {
            parsers.release();
        }
    }

    /// Its chain was verified by the handshake.
    private static SpiffeId peer(ServerRequest request) throws Refused {
        var chain = request.remotePeer().tlsCertificates().orElse(null);
        if (chain != null
                && chain.length > 0
                && chain[0] instanceof X509Certificate leaf
                && SvidVerifier.idOf(leaf) instanceof Verdict.Trusted(var id)) {
            return id;
        }
        throw new Refused(403, "only members of the mesh may report: show an SVID");
    }
}
