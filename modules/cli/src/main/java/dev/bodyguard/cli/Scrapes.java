package dev.bodyguard.cli;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What the sidecars have counted since the first scrape.
final class Scrapes {
    private final HttpClient http;
    private final Map<URI, Counters> sidecars = new LinkedHashMap<>();
    private final URI summary;
    private final Increase spans = new Increase();

    private static final class Counters {
        private final Increase retries = new Increase();
        private final Increase received = new Increase();
        private final Increase mutualTls = new Increase();
    }

    /// @param metrics of the sidecars
    /// @param summary of the telemetry service
    Scrapes(HttpClient http, List<URI> metrics, URI summary) {
        this.http = http;
        this.summary = summary;
        metrics.forEach(uri -> sidecars.put(uri, new Counters()));
    }

    /// Reads the telemetry service and every sidecar; one that does not answer keeps its last reading.
    void read() throws InterruptedException {
        readSpans();
        for (var sidecar : sidecars.entrySet()) {
            try {
                var request = HttpRequest.newBuilder(sidecar.getKey())
                        .timeout(Duration.ofSeconds(2))
                        .build();
                var response = http.send(request, BodyHandlers.ofString());
                if (response.statusCode() == 200) {
                    read(sidecar.getValue(), Metrics.parse(response.body()));
                }
            } catch (IOException _) {
                // It may be starting again.
            }
        }
    }

    private void readSpans() throws InterruptedException {
        try {
            var request = HttpRequest.newBuilder(summary)
                    .timeout(Duration.ofSeconds(2))
                    .build();
            var response = http.send(request, BodyHandlers.ofString());
            if (response.statusCode() == 200 && Json.object(response.body()).get("spans") instanceof Number now) {
                spans.read(now.doubleValue());
            }
        } catch (IOException _) {
            // It may be starting again.
        }
    }

    /// Spans that have arrived since the first scrape.
    long spans() {
        return Math.round(spans.total());
    }

    /// Waits until that many spans have arrived: sidecars send theirs every two seconds.
    void awaitSpans(long wanted, Duration atMost) throws InterruptedException {
        long began = System.nanoTime();
        while (spans() < wanted && System.nanoTime() - began < atMost.toNanos()) {
            Thread.sleep(100);
            readSpans();
        }
    }

    private static void read(Counters counters, Metrics metrics) {
        counters.retries.read(metrics.sum("bodyguard_upstream_retries_total", _ -> true));
        counters.received.read(
                metrics.sum("istio_requests_total", labels -> "destination".equals(labels.get("reporter"))));
        counters.mutualTls.read(metrics.sum(
                "istio_requests_total",
                labels -> "destination".equals(labels.get("reporter"))
                        && "mutual_tls".equals(labels.get("connection_security_policy"))));
    }

    long retries() {
        return Math.round(
                sidecars.values().stream().mapToDouble(c -> c.retries.total()).sum());
    }

    /// The share of requests between workloads that came over mutual TLS; 0 while there were none.
    double mutualTlsShare() {
        double received =
                sidecars.values().stream().mapToDouble(c -> c.received.total()).sum();
        double mutual =
                sidecars.values().stream().mapToDouble(c -> c.mutualTls.total()).sum();
        return received == 0 ? 0 : mutual / received;
    }
}
