package dev.bodyguard.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

final class MetricsTest {
    private static final String PAGE = """
        # HELP istio_requests_total Requests.
        # TYPE istio_requests_total counter
        istio_requests_total{reporter="destination",connection_security_policy="mutual_tls",response_code="200"} 7
        istio_requests_total{reporter="destination",connection_security_policy="mutual_tls",response_code="503"} 2.0
        istio_requests_total{reporter="source",connection_security_policy="unknown",response_code="200",} 9 1700000000
        odd{sentence="a \\"b\\", {c}"} 1e3
        plain 4
        this is not a metric
        """;

    @Test
    void sumsTheSeriesThatMatch() {
        var metrics = Metrics.parse(PAGE);

        assertThat(metrics.sum("istio_requests_total", labels -> "destination".equals(labels.get("reporter"))))
                .isEqualTo(9);
        assertThat(metrics.sum("istio_requests_total", _ -> true)).isEqualTo(18);
        assertThat(metrics.sum("plain", _ -> true)).isEqualTo(4);
        assertThat(metrics.sum("absent", _ -> true)).isZero();
    }

    @Test
    void readsQuotesAndBracesInsideALabel() {
        assertThat(Metrics.parse(PAGE).sum("odd", labels -> "a \"b\", {c}".equals(labels.get("sentence"))))
                .isEqualTo(1_000);
    }

    @Test
    void countsOnFromZeroWhenTheProcessStartedAgain() {
        var increase = new Increase();

        DoubleStream.of(100, 130, 4, 5).forEach(increase::read);

        assertThat(increase.total()).isEqualTo(35);
    }
}
