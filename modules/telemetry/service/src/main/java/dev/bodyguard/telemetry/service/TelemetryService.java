package dev.bodyguard.telemetry.service;

import dev.bodyguard.identity.spiffe.Svid;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.HttpRouting;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// What arrives from sidecars, summed up, and handed on: OTLP in ▶ topology ▶ summary and Prometheus; spans out.
public final class TelemetryService implements AutoCloseable {
    private static final int MOST_EDGES = 2_000;
    private static final int MOST_SERIES = 40_000;
    /// What one identity can have of each is a quarter.
    private static final int SHARES = 4;

    private static final Duration PATIENCE_WITH_A_BODY = Duration.ofSeconds(10);

    private final Deque<AutoCloseable> running = new ArrayDeque<>();
    private final OtlpServer otlp;
    private final WebServer plain;

    /// Listens.
    ///
    /// @param svid what the OTLP port shows, asked at each handshake
    public static TelemetryService start(
            Settings settings, Supplier<Svid> svid, PrometheusMeterRegistry metrics, Events events, InstantSource clock)
            throws IOException {
        return new TelemetryService(settings, svid, metrics, events, clock);
    }

    private TelemetryService(
            Settings settings, Supplier<Svid> svid, PrometheusMeterRegistry metrics, Events events, InstantSource clock)
            throws IOException {
        var edgeMetrics = new EdgeMetrics(metrics);
        var topology = new Topology(
                new Shares(MOST_EDGES / SHARES, MOST_EDGES),
                new Shares(MOST_SERIES / SHARES, MOST_SERIES),
                clock,
                edgeMetrics);
        edgeMetrics.of(topology);
        var exporters = settings.exports().stream()
                .map(export -> open(new Exporter(export, events).start()))
                .toList();
        var intake = new Intake(topology, spans -> exporters.forEach(exporter -> exporter.offer(spans)));
        meters(metrics, topology, intake, exporters);
        var reading = new Reading(PATIENCE_WITH_A_BODY);
        var timer = Executors.newSingleThreadScheduledExecutor(
                Thread.ofVirtual().name("telemetry-timer").factory());
        running.push(timer::shutdownNow);
        try {
            otlp = open(OtlpServer.start(settings.host(), settings.otlpPort(), svid, clock, intake, reading, events));
            plain = listen(settings, routes -> {
                routes.get("/healthz/ready", (_, response) -> response.send("ready\n"))
                        .get(
                                "/metrics",
                                (_, response) -> response.header(
                                                "Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                                        .send(metrics.scrape()))
                        .get(
                                "/api/summary",
                                (_, response) -> response.header("Content-Type", "application/json")
                                        .send(Summary.json(topology, intake.spans(), clock.instant()) + "\n"));
                Dashboard.add(routes);
            });
            // Neither fails: an exception would end its repetition.
            var _ = timer.scheduleWithFixedDelay(reading::endLate, 1, 1, TimeUnit.SECONDS);
            var _ = timer.scheduleWithFixedDelay(topology::sweep, 5, 5, TimeUnit.SECONDS);
        } catch (IOException | RuntimeException failed) {
            close();
            throw failed;
        }
    }

    /// Where the summary, the metrics and the pages are.
    public int port() {
        return plain.port();
    }

    /// Where members of the mesh report.
    public int otlpPort() {
        return otlp.port();
    }

    @Override
    public void close() {
        while (!running.isEmpty()) {
            try {
                running.pop().close();
            } catch (Exception failed) {
                throw new IllegalStateException("these do not fail to close", failed);
            }
        }
    }

    private <T extends AutoCloseable> T open(T part) {
        running.push(part);
        return part;
    }

    private WebServer listen(Settings settings, java.util.function.Consumer<HttpRouting.Builder> routing)
            throws IOException {
        var server = WebServer.builder()
                .host(settings.host())
                .port(settings.port())
                .shutdownHook(false)
                .routing(routing)
                .build();
        try {
            server.start();
        } catch (RuntimeException refused) {
            throw new IOException(
                    "cannot listen on " + settings.host() + ":" + settings.port() + ": " + refused.getMessage(),
                    refused);
        }
        running.push(server::stop);
        return server;
    }

    private static void meters(
            PrometheusMeterRegistry metrics, Topology topology, Intake intake, List<Exporter> exporters) {
        FunctionCounter.builder("bodyguard.telemetry.spans.received", intake, Intake::spans)
                .description("Spans that sidecars sent.")
                .register(metrics);
        FunctionCounter.builder("bodyguard.telemetry.points.received", intake, Intake::points)
                .description("Data points that sidecars sent.")
                .register(metrics);
        FunctionCounter.builder("bodyguard.telemetry.points.refused", intake, Intake::refusedPoints)
                .description("Data points of somebody else's, beyond a limit, or not to be understood.")
                .register(metrics);
        Gauge.builder("bodyguard.telemetry.edges", topology, Topology::edgeCount)
                .description("Pairs of workloads that are told apart.")
                .register(metrics);
        Gauge.builder("bodyguard.telemetry.series", topology, Topology::seriesCount)
                .description("Counters of reporters whose last value is remembered.")
                .register(metrics);
        for (var exporter : exporters) {
            FunctionCounter.builder("bodyguard.telemetry.spans.exported", exporter, Exporter::sent)
                    .description("Spans that were handed on.")
                    .tag("target", exporter.name())
                    .register(metrics);
            FunctionCounter.builder("bodyguard.telemetry.spans.dropped", exporter, Exporter::dropped)
                    .description("Spans that could not be handed on.")
                    .tag("target", exporter.name())
                    .register(metrics);
        }
    }
}
