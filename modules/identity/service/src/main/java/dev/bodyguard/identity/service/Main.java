package dev.bodyguard.identity.service;

import io.helidon.webserver.WebServer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/// The identity service as a process of its own.
public final class Main {
    private Main() {}

    static void main() throws IOException, InterruptedException {
        // One line per event, unless somebody wants it otherwise.
        if (System.getProperty("java.util.logging.SimpleFormatter.format") == null) {
            System.setProperty("java.util.logging.SimpleFormatter.format", "%1$tFT%1$tT.%1$tL%1$tz %4$s %5$s%6$s%n");
        }
        Settings settings;
        try {
            settings = Settings.from(System.getenv());
        } catch (IllegalArgumentException wrong) {
            System.err.println("identity: " + wrong.getMessage());
            System.exit(2);
            return;
        }
        var stop = new CountDownLatch(1);
        var stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            stop.countDown();
            try {
                stopped.await();
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }));
        try {
            serve(settings, stop);
        } finally {
            stopped.countDown();
        }
    }

    private static void serve(Settings settings, CountDownLatch stop) throws IOException, InterruptedException {
        var clock = InstantSource.system();
        var metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        var events = Events.all(
                List.of(new LoggedEvents(System.getLogger("dev.bodyguard.identity")), new CountedEvents(metrics)));

        try (var state = MeshState.open(
                        settings.state(), settings.trustDomain(), settings.lifetimes(), clock, new SecureRandom());
                var server = IdentityServer.start(settings.host(), settings.port(), state, events, clock)) {
            var admin = admin(settings, metrics);
            System.err.println(
                    "identity: gRPC on " + server.address() + ", admin on " + settings.host() + ":" + admin.port());
            stop.await();
            admin.stop();
        }
    }

    private static WebServer admin(Settings settings, PrometheusMeterRegistry metrics) {
        return WebServer.builder()
                .host(settings.host())
                .port(settings.adminPort())
                .shutdownHook(false)
                .routing(routes -> routes.get("/healthz/ready", (_, response) -> response.send("ready\n"))
                        .get(
                                "/metrics",
                                (_, response) -> response.header(
                                                "Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                                        .send(metrics.scrape())))
                .build()
                .start();
    }
}
