package dev.bodyguard.telemetry.service;

import dev.bodyguard.telemetry.service.Topology.Figures;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/// Each edge as Micrometer's meters, for as long as there is one.
final class EdgeMetrics implements Topology.Listener {
    private final MeterRegistry registry;
    private final Map<EdgeKey, List<Meter>> meters = new HashMap<>();
    private @Nullable Topology topology;

    EdgeMetrics(MeterRegistry registry) {
        this.registry = registry;
    }

    void of(Topology edges) {
        topology = edges;
    }

    @Override
    public void began(EdgeKey edge) {
        var tags = Tags.of(
                "source", edge.source(),
                "source_namespace", edge.sourceNamespace(),
                "source_version", edge.sourceVersion(),
                "destination", edge.destination(),
                "destination_namespace", edge.destinationNamespace(),
                "destination_version", edge.destinationVersion(),
                "destination_service", edge.destinationService());
        meters.put(
                edge,
                List.of(
                        counter(
                                "bodyguard.mesh.requests",
                                "Requests between two workloads.",
                                edge,
                                tags,
                                Figures::requests),
                        counter(
                                "bodyguard.mesh.retries",
                                "Attempts after the first, by the edge that answered at last.",
                                edge,
                                tags,
                                Figures::retries),
                        gauge(
                                "bodyguard.mesh.request.rate",
                                "Requests a second, over a minute.",
                                edge,
                                tags,
                                Figures::rate),
                        gauge(
                                "bodyguard.mesh.success.ratio",
                                "Requests that the callee did not fail, over a minute.",
                                edge,
                                tags,
                                Figures::successRate),
                        gauge(
                                "bodyguard.mesh.mtls.ratio",
                                "Requests that came by mutual TLS, over a minute.",
                                edge,
                                tags,
                                Figures::mutualTls),
                        quantile(edge, tags.and("quantile", "0.5"), Figures::p50),
                        quantile(edge, tags.and("quantile", "0.9"), Figures::p90),
                        quantile(edge, tags.and("quantile", "0.99"), Figures::p99)));
    }

    @Override
    public void ended(EdgeKey edge) {
        var gone = meters.remove(edge);
        if (gone != null) {
            gone.forEach(registry::remove);
        }
    }

    private Meter quantile(EdgeKey edge, Tags tags, Function<Figures, @Nullable Double> value) {
        return gauge(
                "bodyguard.mesh.request.duration.milliseconds",
                "Durations of requests, over a minute.",
                edge,
                tags,
                value);
    }

    private Meter gauge(String name, String help, EdgeKey edge, Tags tags, Function<Figures, @Nullable Double> value) {
        return Gauge.builder(name, () -> {
                    var figures = figures(edge);
                    var now = figures == null ? null : value.apply(figures);
                    return now == null ? Double.NaN : now;
                })
                .description(help)
                .tags(tags)
                .register(registry);
    }

    private Meter counter(String name, String help, EdgeKey edge, Tags tags, ToLongFunction<Figures> value) {
        // Once the source has spoken up its counts are taken instead; a counter never goes back for it.
        var most = new AtomicLong();
        return FunctionCounter.builder(name, this, _ -> {
                    var figures = figures(edge);
                    return most.accumulateAndGet(figures == null ? 0 : value.applyAsLong(figures), Math::max);
                })
                .description(help)
                .tags(tags)
                .register(registry);
    }

    private @Nullable Figures figures(EdgeKey edge) {
        var edges = topology;
        return edges == null ? null : edges.edge(edge);
    }
}
