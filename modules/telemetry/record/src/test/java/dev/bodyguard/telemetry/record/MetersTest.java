package dev.bodyguard.telemetry.record;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class MetersTest {
    private static final Party CHECKOUT = new Party(
            "checkout-1", "default", "spiffe://cluster.local/ns/default/sa/checkout", "checkout", "v1", "checkout", "");

    @Test
    void countsWithIstiosLabelsInIstiosOrder() {
        var meters = new Meters();

        meters.edge(edge("payment-v2-1")).record(200, -1, "-", 3_000_000, 10, 20);

        assertThat(meters.text()).contains("""
            istio_requests_total{reporter="source",source_workload="checkout-1",source_canonical_service="checkout",\
            source_canonical_revision="v1",source_workload_namespace="default",\
            source_principal="spiffe://cluster.local/ns/default/sa/checkout",source_app="checkout",\
            source_version="v1",source_cluster="unknown",destination_workload="payment-v2-1",\
            destination_workload_namespace="unknown",destination_principal="unknown",destination_app="unknown",\
            destination_version="unknown",destination_service="payment-service.default.svc.cluster.local",\
            destination_canonical_service="unknown",destination_canonical_revision="latest",\
            destination_service_name="payment-service",destination_service_namespace="default",\
            destination_cluster="unknown",request_protocol="http",response_code="200",grpc_response_status="",\
            response_flags="-",connection_security_policy="unknown"} 1
            """);
    }

    @Test
    void theSourceNeverClaimsToKnowTheSecurityPolicy() {
        assertThat(edge("a").security()).isEqualTo(Edge.Security.UNKNOWN);
    }

    @Test
    void bucketsAreCumulativeAndInMilliseconds() {
        var meters = new Meters();
        EdgeMeters edge = meters.edge(edge("a"));

        edge.record(200, -1, "-", 400_000, 0, 0);
        edge.record(200, -1, "-", 5_000_000, 0, 0);
        edge.record(200, -1, "-", 7_200_000_000_000L, 0, 0);

        assertThat(value(meters, "istio_request_duration_milliseconds_bucket", "le=\"0.5\""))
                .isEqualTo("1");
        assertThat(value(meters, "istio_request_duration_milliseconds_bucket", "le=\"1\""))
                .isEqualTo("1");
        assertThat(value(meters, "istio_request_duration_milliseconds_bucket", "le=\"5\""))
                .isEqualTo("2");
        assertThat(value(meters, "istio_request_duration_milliseconds_bucket", "le=\"3600000\""))
                .isEqualTo("2");
        assertThat(value(meters, "istio_request_duration_milliseconds_bucket", "le=\"\\+Inf\""))
                .isEqualTo("3");
        assertThat(value(meters, "istio_request_duration_milliseconds_count", ""))
                .isEqualTo("3");
        assertThat(value(meters, "istio_request_duration_milliseconds_sum", "")).isEqualTo("7200005.4");
    }

    @Test
    void labelsCannotBreakOutOfTheirQuotes() {
        var meters = new Meters();

        meters.edge(edge("a\"b\\c\nd")).record(200, -1, "-", 1, 0, 0);

        assertThat(meters.text()).contains("destination_workload=\"a\\\"b\\\\c\\nd\"");
    }

    @Test
    void everyLineIsOfThePrometheusFormatAndNoSeriesIsThereTwice() {
        var meters = new Meters();
        meters.edge(edge("a")).record(200, 0, "-", 1, 0, 0);
        meters.edge(edge("a")).record(503, -1, "UF,URX", 1, 0, 0);
        meters.edge(edge("b")).record(200, -1, "-", 1, 0, 0);
        meters.retries("pay.default.svc.cluster.local", "pay", "default").add(3);
        meters.retriesRefused("pay.default.svc.cluster.local", "budget").increment();
        meters.gauge("bodyguard_certificate_expiry_seconds", "When it ends.", () -> 1.5e9);
        meters.gauge("bodyguard_connections", "Open ones.", () -> Double.NaN, "side", "in");
        var line =
                Pattern.compile("# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\\{([a-z_]+=\"([^\"\\\\\\n]|\\\\[\\\\n\"])*\",?)+})?"
                        + " (NaN|[+-]Inf|[-+0-9.eE]+)");
        var seen = new HashSet<String>();

        assertThat(meters.text()).endsWith("\n");
        meters.text().lines().forEach(text -> {
            assertThat(text).matches(line);
            assertThat(seen.add(text.substring(0, text.lastIndexOf(' '))))
                    .as(text)
                    .isTrue();
        });
        assertThat(meters.text()).contains("\nbodyguard_certificate_expiry_seconds 1500000000\n");
        assertThat(value(meters, "bodyguard_upstream_retries_total", "")).isEqualTo("3");
    }

    @Test
    void codesThatPeersInventBecomeOneSeriesInTheEnd() {
        var meters = new Meters();
        EdgeMeters edge = meters.edge(edge("a"));

        for (int code = 0; code < 1_000; code++) {
            edge.record(code, -1, "-", 1, 0, 0);
        }

        assertThat(meters.text().lines().filter(l -> l.startsWith("istio_requests_total")))
                .hasSize(129);
        assertThat(value(meters, "istio_requests_total", "response_code=\"other\""))
                .isEqualTo("872");
    }

    @Test
    void edgesBeyondTheLimitAreCountedTogether() {
        var meters = new Meters(2);

        for (int i = 0; i < 5; i++) {
            meters.edge(edge("w" + i)).record(200, -1, "-", 1, 0, 0);
        }

        assertThat(value(meters, "istio_requests_total", "destination_service=\"other\""))
                .isEqualTo("3");
        assertThat(value(meters, "bodyguard_telemetry_edges_beyond_limit_total", ""))
                .isEqualTo("3");
    }

    @Test
    void losesNothingBetweenThreads() {
        var meters = new Meters();
        try (var threads = Executors.newFixedThreadPool(4)) {
            for (int t = 0; t < 4; t++) {
                threads.execute(() -> {
                    for (int i = 0; i < 10_000; i++) {
                        meters.edge(edge("a")).record(200 + i % 3, -1, "-", 1_000, 1, 1);
                    }
                });
            }
        }

        long sum = meters.text()
                .lines()
                .filter(l -> l.startsWith("istio_request_duration_milliseconds_count"))
                .mapToLong(l -> Long.parseLong(l.substring(l.lastIndexOf(' ') + 1)))
                .sum();
        assertThat(sum).isEqualTo(40_000);
    }

    @Test
    void refusesNamesThatPrometheusWould() {
        var meters = new Meters();

        assertThatThrownBy(() -> meters.counters("bodyguard_things", "Things."))
                .hasMessageContaining("must end with _total, was bodyguard_things");
        assertThatThrownBy(() -> meters.gauge("a-b", "Things.", () -> 1)).hasMessageContaining("a-b");
    }

    private static String value(Meters meters, String name, String label) {
        var line = Pattern.compile(name + "(\\{.*" + label + ".*})? (.*)");
        return meters.text()
                .lines()
                .map(line::matcher)
                .filter(Matcher::matches)
                .map(found -> found.group(2))
                .findFirst()
                .orElseThrow();
    }

    private static Edge edge(String destination) {
        return new Edge(
                Edge.Reporter.SOURCE,
                CHECKOUT,
                new Party(destination, "", "", "", "", "", ""),
                "payment-service.default.svc.cluster.local",
                "payment-service",
                "default",
                Edge.Protocol.HTTP,
                Edge.Security.MUTUAL_TLS);
    }
}
