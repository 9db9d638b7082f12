package dev.bodyguard.telemetry.service;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;

/// The telemetry service as a process of its own: `BODYGUARD_HOST` (`127.0.0.1`), `BODYGUARD_TELEMETRY_PORT` (`15016`).
public final class Main {
    private Main() {}

    static void main() throws IOException, InterruptedException {
        String host = System.getenv().getOrDefault("BODYGUARD_HOST", "127.0.0.1");
        int port = Integer.parseInt(System.getenv().getOrDefault("BODYGUARD_TELEMETRY_PORT", "15016"));
        try (var server = TelemetryServer.start(host, port, new PrometheusMeterRegistry(PrometheusConfig.DEFAULT))) {
            System.err.println("telemetry: on " + host + ":" + server.port());
            new CountDownLatch(1).await(); // until a signal ends the process; there is nothing to finish
        }
    }
}
