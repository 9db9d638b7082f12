package dev.bodyguard.telemetry.service;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.telemetry.service.SeriesKey.Kind;
import dev.bodyguard.telemetry.service.SeriesKey.Reporter;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsPartialSuccess;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceResponse;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.metrics.v1.AggregationTemporality;
import io.opentelemetry.proto.metrics.v1.HistogramDataPoint;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import io.opentelemetry.proto.metrics.v1.ResourceMetrics;
import io.opentelemetry.proto.resource.v1.Resource;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// What members of the mesh send, read and checked: whoever it comes from may speak only for itself.
final class Intake {
    /// Nothing that is counted comes near it; beyond, additions would.
    private static final long MOST = 1L << 53;

    private static final int LONGEST_NAME = 253;
    private static final int MOST_BUCKETS = 256;
    private static final String PRINCIPAL = "bodyguard.principal";

    private final Topology topology;
    private final Consumer<ResourceSpans> exports;
    private final LongAdder spans = new LongAdder();
    private final LongAdder points = new LongAdder();
    private final LongAdder refusedPoints = new LongAdder();

    /// @param exports gets every span that came in, by its resource
    Intake(Topology topology, Consumer<ResourceSpans> exports) {
        this.topology = topology;
        this.exports = exports;
    }

    /// Spans since the service began.
    long spans() {
        return spans.sum();
    }

    long points() {
        return points.sum();
    }

    long refusedPoints() {
        return refusedPoints.sum();
    }

    /// The body of a `POST /v1/traces`; returns the answer's.
    byte[] traces(byte[] body, SpiffeId peer) throws Refused {
        ExportTraceServiceRequest request;
        try {
            request = ExportTraceServiceRequest.parseFrom(body);
        } catch (InvalidProtocolBufferException broken) {
            throw unreadable(broken);
        }
        for (var resource : request.getResourceSpansList()) {
            long count = 0;
            for (var scope : resource.getScopeSpansList()) {
                count += scope.getSpansCount();
            }
            if (count > 0) {
                spans.add(count);
                exports.accept(resource.toBuilder()
                        .setResource(signed(resource.getResource(), peer))
                        .build());
            }
        }
        return ExportTraceServiceResponse.getDefaultInstance().toByteArray();
    }

    /// Says on a resource who brought it, whatever it says itself.
    private static Resource signed(Resource resource, SpiffeId peer) {
        var signed = resource.toBuilder().clearAttributes();
        for (var pair : resource.getAttributesList()) {
            if (!pair.getKey().equals(PRINCIPAL)) {
                signed.addAttributes(pair);
            }
        }
        return signed.addAttributes(KeyValue.newBuilder()
                        .setKey(PRINCIPAL)
                        .setValue(AnyValue.newBuilder().setStringValue(peer.toString())))
                .build();
    }

    /// The body of a `POST /v1/metrics`; returns the answer's.
    byte[] metrics(byte[] body, SpiffeId peer) throws Refused {
        ExportMetricsServiceRequest request;
        try {
            request = ExportMetricsServiceRequest.parseFrom(body);
        } catch (InvalidProtocolBufferException broken) {
            throw unreadable(broken);
        }
        long refused = 0;
        for (var resource : request.getResourceMetricsList()) {
            refused += metrics(resource, peer);
        }
        if (refused == 0) {
            return ExportMetricsServiceResponse.getDefaultInstance().toByteArray();
        }
        refusedPoints.add(refused);
        return ExportMetricsServiceResponse.newBuilder()
                .setPartialSuccess(ExportMetricsPartialSuccess.newBuilder()
                        .setRejectedDataPoints(refused)
                        .setErrorMessage("these speak for others than " + peer
                                + ", are too many, or do not count what cannot be negative"))
                .build()
                .toByteArray();
    }

    private long metrics(ResourceMetrics from, SpiffeId peer) {
        var attributes = attributes(from.getResource().getAttributesList());
        var name = attributes.getOrDefault("service.instance.id", "");
        var service = attributes.getOrDefault("service.name", "");
        var workload = new Topology.Workload(
                known(name.isEmpty() ? service : name),
                known(attributes.getOrDefault("service.namespace", "")),
                known(attributes.getOrDefault("service.version", "")),
                known(service),
                peer.toString());
        long startedAt = startedAt(from);
        var report = topology.hear(workload, startedAt);
        long refused = 0;
        for (var scope : from.getScopeMetricsList()) {
            for (var metric : scope.getMetricsList()) {
                var kind = kind(metric);
                if (kind != null) {
                    refused += kind == Kind.DURATION
                            ? durations(metric, peer, report)
                            : numbers(kind, metric, peer, report);
                }
            }
        }
        return refused;
    }

    /// Of any point: a process's counters begin together.
    private static long startedAt(ResourceMetrics from) {
        for (var scope : from.getScopeMetricsList()) {
            for (var metric : scope.getMetricsList()) {
                if (metric.hasSum() && metric.getSum().getDataPointsCount() > 0) {
                    return metric.getSum().getDataPoints(0).getStartTimeUnixNano() / 1_000_000;
                }
                if (metric.hasHistogram() && metric.getHistogram().getDataPointsCount() > 0) {
                    return metric.getHistogram().getDataPoints(0).getStartTimeUnixNano() / 1_000_000;
                }
            }
        }
        return 0;
    }

    private static @Nullable Kind kind(Metric metric) {
        return switch (metric.getName()) {
            case "istio_requests_total" -> metric.hasSum() ? Kind.REQUESTS : null;
            case "istio_request_duration_milliseconds" -> metric.hasHistogram() ? Kind.DURATION : null;
            case "bodyguard_edge_retries_total" -> metric.hasSum() ? Kind.RETRIES : null;
            // Whatever else a member counts is nothing of ours.
            default -> null;
        };
    }

    private long numbers(Kind kind, Metric metric, SpiffeId peer, Topology.Report report) {
        var sum = metric.getSum();
        boolean cumulative = cumulative(sum.getAggregationTemporality());
        long refused = 0;
        for (NumberDataPoint point : sum.getDataPointsList()) {
            points.increment();
            long value = point.hasAsDouble() ? Math.round(point.getAsDouble()) : point.getAsInt();
            if (value < 0
                    || value > MOST
                    || !add(kind, point.getAttributesList(), peer, new long[] {value}, cumulative, report)) {
                refused++;
            }
        }
        return refused;
    }

    private long durations(Metric metric, SpiffeId peer, Topology.Report report) {
        var histogram = metric.getHistogram();
        boolean cumulative = cumulative(histogram.getAggregationTemporality());
        long refused = 0;
        for (HistogramDataPoint point : histogram.getDataPointsList()) {
            points.increment();
            boolean sound = point.getBucketCountsCount() <= MOST_BUCKETS
                    && point.getBucketCountsList().stream().allMatch(count -> count >= 0 && count <= MOST);
            if (!sound
                    || !add(
                            Kind.DURATION,
                            point.getAttributesList(),
                            peer,
                            Latencies.inOurs(point.getExplicitBoundsList(), point.getBucketCountsList()),
                            cumulative,
                            report)) {
                refused++;
            }
        }
        return refused;
    }

    private static boolean cumulative(AggregationTemporality temporality) {
        return temporality != AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA;
    }

    private static boolean add(
            Kind kind, List<KeyValue> pairs, SpiffeId peer, long[] values, boolean cumulative, Topology.Report report) {
        var labels = attributes(pairs);
        var reporter = Reporter.of(labels.getOrDefault("reporter", ""));
        if (reporter == null) {
            return false;
        }
        if (!peer.toString().equals(labels.get(reporter.word + "_principal"))
                || !Objects.equals(peer.namespace(), labels.get(reporter.word + "_workload_namespace"))) {
            return false;
        }
        var edge = new EdgeKey(
                of(labels, "source_workload"),
                of(labels, "source_workload_namespace"),
                of(labels, "source_version"),
                of(labels, "destination_workload"),
                of(labels, "destination_workload_namespace"),
                of(labels, "destination_version"),
                of(labels, "destination_service"));
        var key = new SeriesKey(
                kind,
                reporter,
                edge,
                of(labels, "connection_security_policy"),
                of(labels, "request_protocol"),
                code(labels.getOrDefault("response_code", "")),
                labels.getOrDefault("grpc_response_status", ""),
                labels.getOrDefault("response_flags", "-"));
        return report.add(key, values, cumulative, labels.containsKey("destination_principal"));
    }

    /// Kept for each edge: no more of them than HTTP has.
    private static String code(String text) {
        return text.length() <= 3 && !text.isEmpty() && text.chars().allMatch(digit -> digit >= '0' && digit <= '9')
                ? text
                : "other";
    }

    private static String of(Map<String, String> labels, String name) {
        return known(labels.getOrDefault(name, ""));
    }

    private static String known(String value) {
        return value.isEmpty() ? EdgeKey.UNKNOWN : value;
    }

    /// Texts, none longer than a name of ours can be: they are kept.
    private static Map<String, String> attributes(List<KeyValue> pairs) {
        var attributes = new HashMap<String, String>();
        for (var pair : pairs) {
            if (pair.getValue().hasStringValue()) {
                var text = pair.getValue().getStringValue();
                attributes.put(pair.getKey(), text.length() > LONGEST_NAME ? text.substring(0, LONGEST_NAME) : text);
            } else if (pair.getValue().hasIntValue()) {
                attributes.put(pair.getKey(), Long.toString(pair.getValue().getIntValue()));
            }
        }
        return attributes;
    }

    private static Refused unreadable(InvalidProtocolBufferException broken) {
        return new Refused(400, "this is not OTLP's protobuf: " + broken.getMessage());
    }
}
