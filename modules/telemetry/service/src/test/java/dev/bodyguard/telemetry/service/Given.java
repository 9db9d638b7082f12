package dev.bodyguard.telemetry.service;

import com.google.protobuf.ByteString;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.metrics.v1.AggregationTemporality;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import io.opentelemetry.proto.metrics.v1.ResourceMetrics;
import io.opentelemetry.proto.metrics.v1.ScopeMetrics;
import io.opentelemetry.proto.metrics.v1.Sum;
import io.opentelemetry.proto.resource.v1.Resource;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.ScopeSpans;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Status;
import java.util.HashMap;
import java.util.Map;

/// Reports as sidecars send them.
final class Given {
    static final String CHECKOUT = "spiffe://cluster.local/ns/default/sa/checkout";
    static final String PAYMENT = "spiffe://cluster.local/ns/default/sa/payment-service";

    private Given() {}

    static ExportMetricsServiceRequest requests(String reporter, String code, long count) {
        return requests(count, labels(reporter, code));
    }

    static ExportMetricsServiceRequest requestsWithout(String label) {
        var labels = labels("source", "200");
        labels.remove(label);
        return requests(1, labels);
    }

    private static Map<String, String> labels(String reporter, String code) {
        return new HashMap<>(Map.of(
                "reporter",
                reporter,
                "source_workload",
                "checkout-v1",
                "source_workload_namespace",
                "default",
                "source_principal",
                CHECKOUT,
                "destination_workload",
                "payment-a",
                "destination_principal",
                PAYMENT,
                "destination_version",
                "v2",
                "response_code",
                code));
    }

    private static ExportMetricsServiceRequest requests(long count, Map<String, String> labels) {
        var point = NumberDataPoint.newBuilder()
                .setStartTimeUnixNano(System.currentTimeMillis() * 1_000_000)
                .setAsInt(count)
                .addAllAttributes(attributes(labels));
        var metric = Metric.newBuilder()
                .setName("istio_requests_total")
                .setSum(Sum.newBuilder()
                        .setAggregationTemporality(AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE)
                        .addDataPoints(point));
        return ExportMetricsServiceRequest.newBuilder()
                .addResourceMetrics(ResourceMetrics.newBuilder()
                        .setResource(resource("checkout"))
                        .addScopeMetrics(ScopeMetrics.newBuilder().addMetrics(metric)))
                .build();
    }

    static ExportTraceServiceRequest span(String name) {
        return ExportTraceServiceRequest.newBuilder()
                .addResourceSpans(ResourceSpans.newBuilder()
                        .setResource(resource("checkout"))
                        .addScopeSpans(ScopeSpans.newBuilder()
                                .addSpans(Span.newBuilder()
                                        .setTraceId(ByteString.fromHex("4bf92f3577b34da6a3ce929d0e0e4736"))
                                        .setSpanId(ByteString.fromHex("00f067aa0ba902b7"))
                                        .setParentSpanId(ByteString.fromHex("0000000000000007"))
                                        .setName(name)
                                        .setKind(Span.SpanKind.SPAN_KIND_CLIENT)
                                        .setStartTimeUnixNano(1_767_323_045_678_000_000L)
                                        .setEndTimeUnixNano(1_767_323_045_690_000_000L)
                                        .addAllAttributes(attributes(Map.of(
                                                "http.request.method", "GET",
                                                "http.response.status_code", "503",
                                                "peer.service", "payment-service")))
                                        .setStatus(Status.newBuilder()
                                                .setCode(Status.StatusCode.STATUS_CODE_ERROR)
                                                .setMessage("no \"healthy\" endpoint")))))
                .build();
    }

    private static Resource resource(String service) {
        return Resource.newBuilder()
                .addAllAttributes(attributes(Map.of(
                        "service.name",
                        service,
                        "service.namespace",
                        "default",
                        "service.instance.id",
                        service + "-v1")))
                .build();
    }

    private static Iterable<KeyValue> attributes(Map<String, String> pairs) {
        return pairs.entrySet().stream()
                .map(pair -> KeyValue.newBuilder()
                        .setKey(pair.getKey())
                        .setValue(AnyValue.newBuilder().setStringValue(pair.getValue()))
                        .build())
                .toList();
    }
}
