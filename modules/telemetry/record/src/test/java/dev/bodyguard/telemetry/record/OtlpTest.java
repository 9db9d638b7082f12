package dev.bodyguard.telemetry.record;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.metrics.v1.Metric;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class OtlpTest {
    private static final Party CHECKOUT = new Party(
            "checkout-v1",
            "default",
            "spiffe://cluster.local/ns/default/sa/checkout",
            "checkout",
            "v1",
            "checkout",
            "");
    private static final Party PAYMENT = new Party(
            "payment-a", "default", "spiffe://cluster.local/ns/default/sa/payment", "payment", "v2", "payment", "");

    private final Meters meters = new Meters();
    private final Otlp otlp = new Otlp(CHECKOUT, 1_000);

    @Test
    void aCounterAHistogramAndRetriesAreReadByTheGeneratedClasses() throws Exception {
        meters.record(exchange(200, 3));
        meters.record(exchange(200, 1));

        var metrics = metrics(write(true));

        assertThat(metrics)
                .extracting(Metric::getName)
                .containsExactly(
                        "istio_requests_total", "istio_request_duration_milliseconds", "bodyguard_edge_retries_total");
        var requests = metrics.getFirst().getSum().getDataPoints(0);
        assertThat(metrics.getFirst().getSum().getIsMonotonic()).isTrue();
        assertThat(requests.getAsInt()).isEqualTo(2);
        assertThat(requests.getStartTimeUnixNano()).isEqualTo(1_000_000_000L);
        assertThat(text(requests.getAttributesList()))
                .containsEntry("reporter", "source")
                .containsEntry("source_workload", "checkout-v1")
                .containsEntry("destination_workload", "payment-a")
                .containsEntry("destination_version", "v2")
                .containsEntry("response_code", "200")
                .doesNotContainKey("connection_security_policy");
        var duration = metrics.get(1).getHistogram().getDataPoints(0);
        assertThat(duration.getCount()).isEqualTo(2);
        assertThat(duration.getSum()).isEqualTo(24.0);
        assertThat(duration.getBucketCountsList())
                .hasSize(duration.getExplicitBoundsCount() + 1)
                .element(4)
                .isEqualTo(2L);
        assertThat(metrics.get(2).getSum().getDataPoints(0).getAsInt()).isEqualTo(2);
    }

    @Test
    void whatHasNotChangedIsToldOnlyWhenEverythingIs() throws Exception {
        meters.record(exchange(200, 1));
        assertThat(metrics(write(false))).isNotEmpty();

        assertThat(metrics(write(false))).isEmpty();
        assertThat(metrics(write(true))).isNotEmpty();
    }

    @Test
    void aBodyNeverGrowsBeyondWhatReceiversTake() throws Exception {
        for (int i = 0; i < 1_000; i++) {
            for (int code = 200; code < 205; code++) {
                meters.edge(new Edge(
                                Edge.Reporter.SOURCE,
                                CHECKOUT,
                                PAYMENT,
                                "host-" + i,
                                "host",
                                "default",
                                Edge.Protocol.HTTP,
                                Edge.Security.NONE))
                        .record(code, -1, "-", 1, 1, 1);
            }
        }

        var bodies = write(true);

        assertThat(bodies).allMatch(body -> body.length < 600 << 10);
        long points = 0;
        for (var metric : metrics(bodies)) {
            points +=
                    metric.getSum().getDataPointsCount() + metric.getHistogram().getDataPointsCount();
        }
        assertThat(points).isEqualTo(2 * 5_000);
    }

    @Test
    void aSpanHasItsPlaceInTheTraceAndNoQuery() throws Exception {
        var request = ExportTraceServiceRequest.parseFrom(otlp.spans(List.of(exchange(503, 2))));

        var resource = text(request.getResourceSpans(0).getResource().getAttributesList());
        assertThat(resource).containsEntry("service.name", "checkout").containsEntry("service.version", "v1");
        var span = request.getResourceSpans(0).getScopeSpans(0).getSpans(0);
        assertThat(hex(span.getTraceId().toByteArray())).isEqualTo("4bf92f3577b34da6a3ce929d0e0e4736");
        assertThat(hex(span.getSpanId().toByteArray())).isEqualTo("00f067aa0ba902b7");
        assertThat(hex(span.getParentSpanId().toByteArray())).isEqualTo("0000000000000007");
        assertThat(span.getName()).isEqualTo("GET payment");
        assertThat(span.getKindValue()).isEqualTo(3);
        assertThat(span.getEndTimeUnixNano() - span.getStartTimeUnixNano()).isEqualTo(12_000_000);
        assertThat(span.getStatus().getCodeValue()).isEqualTo(2);
        assertThat(text(span.getAttributesList()))
                .containsEntry("http.request.method", "GET")
                .containsEntry("url.path", "/pay")
                .containsEntry("http.response.status_code", "503")
                .containsEntry("http.request.resend_count", "1")
                .containsEntry("bodyguard.peer", PAYMENT.principal())
                .containsEntry("bodyguard.destination.version", "v2");
        assertThat(request.toString()).doesNotContain("secret");
    }

    private List<byte[]> write(boolean everything) {
        var bodies = new ArrayList<byte[]>();
        otlp.metrics(meters, everything, 2_000, bodies::add);
        assertThat(bodies).isNotEmpty();
        return bodies;
    }

    private static List<Metric> metrics(List<byte[]> bodies) throws InvalidProtocolBufferException {
        var all = new ArrayList<Metric>();
        for (var body : bodies) {
            var request = ExportMetricsServiceRequest.parseFrom(body);
            assertThat(request.getUnknownFields().asMap()).isEmpty();
            assertThat(text(request.getResourceMetrics(0).getResource().getAttributesList()))
                    .containsEntry("service.instance.id", "checkout-v1");
            all.addAll(request.getResourceMetrics(0).getScopeMetrics(0).getMetricsList());
        }
        return all;
    }

    private static Map<String, String> text(List<KeyValue> attributes) {
        return attributes.stream()
                .collect(Collectors.toMap(
                        KeyValue::getKey,
                        pair -> pair.getValue().hasIntValue()
                                ? Long.toString(pair.getValue().getIntValue())
                                : pair.getValue().getStringValue()));
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    private static Exchange exchange(int status, int attempts) {
        return new Exchange(
                new Edge(
                        Edge.Reporter.SOURCE,
                        CHECKOUT,
                        PAYMENT,
                        "payment.default.svc.cluster.local",
                        "payment",
                        "default",
                        Edge.Protocol.HTTP,
                        Edge.Security.UNKNOWN),
                1_767_323_045_678L,
                12_000_000,
                new Exchange.Request("GET", "/pay?card=secret", "HTTP/1.1", "payment", "curl", "id-1", null, 5),
                new Exchange.Response(status, -1, "-", null, null, 7),
                new Exchange.Upstream(null, null, null, attempts, -1, null),
                new Exchange.Downstream(null, null, null, null, Edge.Security.UNKNOWN),
                Exchange.Decision.NONE,
                TraceParent.parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
                7);
    }
}
