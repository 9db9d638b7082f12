package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.telemetry.record.Edge;
import dev.bodyguard.telemetry.record.Exchange;
import dev.bodyguard.telemetry.record.Meters;
import dev.bodyguard.telemetry.record.Otlp;
import dev.bodyguard.telemetry.record.Party;
import dev.bodyguard.telemetry.record.TraceParent;
import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TelemetryTest {
    private final Meters meters = new Meters();
    private final List<String> posted = new ArrayList<>();
    private final List<byte[]> bodies = new ArrayList<>();
    private final Random random = new Random(7);
    private int answer = 200;
    private Runnable meanwhile = () -> {};
    private long now = 1_767_323_000_000L;

    private final Telemetry telemetry = new Telemetry(
            new Otlp(Party.UNKNOWN, now),
            meters,
            (path, body) -> {
                if (answer == 0) {
                    throw new IOException("connection refused");
                }
                posted.add(path);
                if (posted.size() < 100 && path.equals("/v1/traces")) {
                    meanwhile.run();
                }
                bodies.add(body);
                return answer;
            },
            new SidecarLog(System.getLogger("test"), meters, new Outages(InstantSource.system())),
            () -> Instant.ofEpochMilli(now));

    @Test
    void countersAreToldWhetherOrNotThereIsASpan() throws Exception {
        telemetry.accept(exchange(false));

        assertThat(telemetry.report()).isTrue();

        assertThat(posted).containsExactly("/v1/metrics");
    }

    @Test
    void spansAreToldInBatches() throws Exception {
        for (int i = 0; i < 600; i++) {
            telemetry.accept(exchange(true));
        }

        assertThat(telemetry.report()).isTrue();

        assertThat(posted).containsExactly("/v1/metrics", "/v1/traces", "/v1/traces", "/v1/traces");
        assertThat(bodies).allMatch(body -> body.length < 512 << 10);
        assertThat(meters.text()).contains("bodyguard_telemetry_spans_sent_total 600");
    }

    @Test
    void countersAreToldThoughSpansComeAsFastAsTheyGo() throws Exception {
        telemetry.accept(exchange(true));
        meanwhile = () -> telemetry.accept(exchange(true));

        telemetry.report();
        telemetry.report();

        assertThat(posted).containsExactly("/v1/metrics", "/v1/traces", "/v1/metrics", "/v1/traces");
    }

    @Test
    void whileTheServiceIsGoneSpansWaitAsFarAsThereIsRoomAndThenAreCounted() throws Exception {
        answer = 0;
        for (int i = 0; i < 2_500; i++) {
            telemetry.accept(exchange(true));
        }
        assertThat(telemetry.report()).isFalse();
        assertThat(meters.text())
                .contains("bodyguard_telemetry_spans_dropped_total 452")
                .contains("bodyguard_telemetry_reports_failed_total 1");

        answer = 200;

        assertThat(telemetry.report()).isTrue();
        assertThat(meters.text()).contains("bodyguard_telemetry_spans_sent_total 2048");
    }

    @Test
    void aBatchThatGotLostIsTriedAgainAndOneThatWasRefusedIsNot() throws Exception {
        telemetry.accept(exchange(true));
        answer = 503;
        assertThat(telemetry.report()).isFalse();
        answer = 200;
        assertThat(telemetry.report()).isTrue();
        assertThat(meters.text()).contains("bodyguard_telemetry_spans_sent_total 1");

        telemetry.accept(exchange(true));
        answer = 400;
        assertThat(telemetry.report()).isTrue();
        assertThat(meters.text()).contains("bodyguard_telemetry_spans_dropped_total 1");
    }

    @Test
    void whatDidNotChangeIsToldAgainAfterAWhileForAServiceThatWasRestarted() throws Exception {
        meters.record(exchange(false));
        telemetry.report();
        telemetry.report();
        now += 10_000;
        telemetry.report();

        assertThat(bodies.get(0)).hasSameSizeAs(bodies.get(2));
        assertThat(bodies.get(1)).hasSizeLessThan(bodies.get(0).length);
    }

    private Exchange exchange(boolean sampled) {
        return new Exchange(
                new Edge(
                        Edge.Reporter.SOURCE,
                        Party.UNKNOWN,
                        Party.UNKNOWN,
                        "payment.default.svc.cluster.local",
                        "payment",
                        "default",
                        Edge.Protocol.HTTP,
                        Edge.Security.UNKNOWN),
                now,
                12_000_000,
                new Exchange.Request("GET", "/" + "x".repeat(60_000), "HTTP/1.1", "payment", "curl", null, null, 0),
                new Exchange.Response(200, -1, "-", null, null, 0),
                Exchange.Upstream.NONE,
                new Exchange.Downstream(null, null, null, null, Edge.Security.UNKNOWN),
                Exchange.Decision.NONE,
                TraceParent.start(sampled, random),
                0);
    }
}
