package dev.bodyguard.standalone;

import dev.bodyguard.xds.server.ClientState;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.ServerResponse;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The admin port: `/healthz/ready`, `/metrics`, `/problems` and `/proxies`.
final class Admin implements AutoCloseable {
    private final WebServer server;

    private Admin(WebServer server) {
        this.server = server;
    }

    static Admin start(
            String host,
            int port,
            dev.bodyguard.config.Pipeline config,
            dev.bodyguard.discovery.Pipeline discovery,
            PrometheusMeterRegistry metrics)
            throws IOException {
        try {
            return new Admin(WebServer.builder()
                    .host(host)
                    .port(port)
                    .shutdownHook(false)
                    .routing(routes -> routes.get("/healthz/ready", (_, response) -> ready(config, response))
                            .get(
                                    "/metrics",
                                    (_, response) -> response.header(
                                                    "Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                                            .send(metrics.scrape()))
                            .get("/problems", (_, response) -> json(response, problems(config, discovery)))
                            .get("/proxies", (_, response) -> json(response, proxies(config.proxies()))))
                    .build()
                    .start());
        } catch (RuntimeException refused) {
            throw new IOException("cannot listen on " + host + ":" + port + ": " + refused.getMessage(), refused);
        }
    }

    int port() {
        return server.port();
    }

    @Override
    public void close() {
        server.stop();
    }

    private static void ready(dev.bodyguard.config.Pipeline config, ServerResponse response) {
        if (config.ready()) {
            response.send("ready\n");
        } else {
            response.status(503).send("not ready: config does not know all documents and workloads yet\n");
        }
    }

    private static void json(ServerResponse response, String body) {
        response.header("Content-Type", "application/json").send(body + "\n");
    }

    /// Files that cannot be read, then what is wrong with what could be.
    private static String problems(dev.bodyguard.config.Pipeline config, dev.bodyguard.discovery.Pipeline discovery) {
        var all = new ArrayList<String>();
        discovery.problems().forEach(problem -> all.add(problem("ERROR", problem.toString())));
        config.problems().forEach(problem -> all.add(problem(problem.severity().name(), problem.toString())));
        return array(all.stream());
    }

    private static String problem(String severity, String text) {
        return "{\"severity\":" + string(severity) + ",\"problem\":" + string(text) + "}";
    }

    private static String proxies(List<ClientState> proxies) {
        return array(proxies.stream()
                .map(proxy -> "{\"node\":" + string(proxy.client().node().getId()) + ",\"peer\":"
                        + string(proxy.client().peer().toString()) + ",\"offered\":" + string(proxy.offered())
                        + ",\"settled\":" + proxy.settled() + ",\"inForce\":" + proxy.inForce() + ",\"refused\":"
                        + refused(proxy.refused()) + "}"));
    }

    private static String refused(Map<String, Map<String, String>> refused) {
        return array(refused.entrySet().stream()
                .flatMap(type -> type.getValue().entrySet().stream()
                        .map(resource -> "{\"type\":" + string(type.getKey()) + ",\"name\":" + string(resource.getKey())
                                + ",\"why\":" + string(resource.getValue()) + "}")));
    }

    private static String array(Stream<String> items) {
        return items.collect(Collectors.joining(",", "[", "]"));
    }

    private static String string(String text) {
        var json = new StringBuilder("\"");
        text.chars().forEach(c -> {
            switch (c) {
                case '"' -> json.append("\\\"");
                case '\\' -> json.append("\\\\");
                case '\n' -> json.append("\\n");
                default -> {
                    if (c < ' ') {
                        json.append(String.format("\\u%04x", c));
                    } else {
                        json.append((char) c);
                    }
                }
            }
        });
        return json.append('"').toString();
    }
}
