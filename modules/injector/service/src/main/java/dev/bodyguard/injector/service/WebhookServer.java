package dev.bodyguard.injector.service;

import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.identity.spiffe.SvidKeyManager;
import dev.bodyguard.injector.decision.Unreadable;
import io.helidon.common.tls.Tls;
import io.helidon.http.Status;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.function.Supplier;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/// `POST /inject` and `POST /warn` by TLS, with the SVID of the moment. Whoever can reach it may ask: an answer is
/// nothing but a reckoning over what was sent, a namespace's labels and which revisions the cluster's webhooks name.
final class WebhookServer implements AutoCloseable {
    /// The API server's own limit is 3 MiB for a request; a review wraps an object.
    static final int LARGEST_BODY = 4 * 1024 * 1024 - 1;

    private static final int AT_ONCE = 16;
    private static final int MOST_CONNECTIONS = 256;
    /// The API server gives up after ten.
    private static final Duration SLOWEST = Duration.ofSeconds(5);

    private final Events events;
    private final WebServer server;

    private WebhookServer(String host, int port, Supplier<@Nullable Svid> svid, Admission admission, Events events) {
        this.events = events;
        this.server = WebServer.builder()
                .host(host)
                .port(port)
                .shutdownHook(false)
                .maxConcurrentRequests(AT_ONCE)
                .maxTcpConnections(MOST_CONNECTIONS)
                .maxPayloadSize(LARGEST_BODY)
                .connectionOptions(options -> options.readTimeout(SLOWEST))
                .tls(Tls.builder()
                        .sslContext(context(svid))
                        .addEnabledProtocol("TLSv1.3")
                        .addEnabledProtocol("TLSv1.2")
                        .addApplicationProtocol("h2")
                        .addApplicationProtocol("http/1.1")
                        .build())
                .routing(routes -> routes.post(
                                "/inject", (request, response) -> take(request, response, admission::decide))
                        .post("/warn", (request, response) -> take(request, response, admission::advise)))
                .build();
    }

    /// Listens.
    ///
    /// @param port 0 for any free one
    /// @param svid asked at each handshake: a renewal needs no reload
    static WebhookServer start(String host, int port, Supplier<@Nullable Svid> svid, Admission admission, Events events)
            throws IOException {
        var server = new WebhookServer(host, port, svid, admission, events);
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

    private static SSLContext context(Supplier<@Nullable Svid> svid) {
        try {
            var context = SSLContext.getInstance("TLS");
            context.init(new KeyManager[] {new SvidKeyManager(svid)}, null, new SecureRandom());
            // A resumed session would go on with the certificate that it began with, expired or not.
            context.getServerSessionContext().setSessionTimeout(1);
            return context;
        } catch (GeneralSecurityException missing) {
            throw new IllegalStateException("this JDK has no TLS", missing);
        }
    }

    /// What answers a review.
    private interface Answering {
        Admission.Answer answer(String body) throws Unreadable, IOException;
    }

    private void take(ServerRequest request, ServerResponse response, Answering answering) {
        var who = String.valueOf(request.remotePeer().address());
        long asked = System.nanoTime();
        try {
            var answer = answering.answer(body(request.content().inputStream()));
            events.decided(answer.object(), answer.verdict(), Duration.ofNanos(System.nanoTime() - asked));
            response.header("Content-Type", "application/json").send(answer.json());
        } catch (Unreadable | IllegalArgumentException wrong) {
            refuse(response, Status.BAD_REQUEST_400, who, String.valueOf(wrong.getMessage()));
        } catch (TooLarge large) {
            refuse(response, Status.REQUEST_ENTITY_TOO_LARGE_413, who, String.valueOf(large.getMessage()));
        } catch (IOException | UncheckedIOException failed) {
            refuse(response, Status.SERVICE_UNAVAILABLE_503, who, String.valueOf(failed.getMessage()));
        }
    }

    private void refuse(ServerResponse response, Status status, String who, String why) {
        events.failed(who, why);
        response.status(status)
                .header("Content-Type", "text/plain; charset=utf-8")
                .send(why + "\n");
    }

    private static final class TooLarge extends IOException {
        private static final long serialVersionUID = 1;

        TooLarge() {
            super("the body has more than " + LARGEST_BODY + " bytes");
        }
    }

    private static String body(InputStream in) throws IOException {
        var bytes = in.readNBytes(LARGEST_BODY + 1);
        if (bytes.length > LARGEST_BODY) {
            throw new TooLarge();
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
