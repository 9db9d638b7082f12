package dev.bodyguard.service;

import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/// The admin port: `/healthz/ready`, `/metrics`, and what the service tells of its state.
public final class Admin implements AutoCloseable {
    private final WebServer server;

    private Admin(WebServer server) {
        this.server = server;
    }

    /// What is answered there. Each is asked anew at every request, on any thread.
    ///
    /// @param unready why the service cannot serve; empty if it can
    /// @param metrics in Prometheus' text format
    /// @param state path to JSON
    public record Answers(
            Supplier<Optional<String>> unready, Supplier<String> metrics, Map<String, Supplier<String>> state) {
        public Answers {
            state = Map.copyOf(state);
        }
    }

    /// Listens.
    ///
    /// @param port 0 for any free one
    /// @throws IOException with a sentence for people
    public static Admin start(String host, int port, Answers answers) throws IOException {
        try {
            return new Admin(WebServer.builder()
                    .host(host)
                    .port(port)
                    .shutdownHook(false)
                    .routing(routes -> {
                        routes.get("/healthz/ready", (_, response) -> ready(answers, response));
                        routes.get(
                                "/metrics",
                                (_, response) -> response.header(
                                                "Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                                        .send(answers.metrics.get()));
                        answers.state.forEach((path, json) -> routes.get(
                                path,
                                (_, response) -> response.header("Content-Type", "application/json")
                                        .send(json.get() + "\n")));
                    })
                    .build()
                    .start());
        } catch (RuntimeException refused) {
            throw new IOException("cannot listen on " + HostPort.of(host, port) + ": " + refused.getMessage(), refused);
        }
    }

    public int port() {
        return server.port();
    }

    @Override
    public void close() {
        server.stop();
    }

    private static void ready(Answers answers, ServerResponse response) {
        answers.unready
                .get()
                .ifPresentOrElse(
                        why -> response.status(503).send("not ready: " + why + "\n"), () -> response.send("ready\n"));
    }
}
