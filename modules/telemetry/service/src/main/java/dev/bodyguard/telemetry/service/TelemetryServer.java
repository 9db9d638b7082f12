package dev.bodyguard.telemetry.service;

import io.helidon.webserver.WebServer;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;

/// The port: `/healthz/ready`, `/metrics` and the dashboard at `/`.
public final class TelemetryServer implements AutoCloseable {
    private final WebServer server;

    private TelemetryServer(WebServer server) {
        this.server = server;
    }

    /// Listens.
    ///
    /// @param port 0 for any free one
    public static TelemetryServer start(String host, int port, PrometheusMeterRegistry metrics) throws IOException {
        try {
            return new TelemetryServer(WebServer.builder()
                    .host(host)
                    .port(port)
                    .shutdownHook(false)
                    .routing(routes -> {
                        routes.get("/healthz/ready", (_, response) -> response.send("ready\n"))
                                .get(
                                        "/metrics",
                                        (_, response) -> response.header(
                                                        "Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                                                .send(metrics.scrape()));
                        Dashboard.add(routes);
                    })
                    .build()
                    .start());
        } catch (RuntimeException refused) {
            throw new IOException("cannot listen on " + host + ":" + port + ": " + refused.getMessage(), refused);
        }
    }

    /// Where it listens.
    public int port() {
        return server.port();
    }

    @Override
    public void close() {
        server.stop();
    }
}
