package dev.bodyguard.telemetry.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.bodyguard.telemetry.service.SeriesKey.Kind;
import dev.bodyguard.telemetry.service.SeriesKey.Reporter;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class TopologyTest {
    private static final EdgeKey EDGE = new EdgeKey(
            "checkout-v1", "default", "v1", "payment-a", "default", "v2", "payment.default.svc.cluster.local");
    private static final Topology.Workload CHECKOUT = workload("checkout");
    private static final Topology.Workload PAYMENT = workload("payment");

    private long now = 1_767_323_000_000L;
    private final long began = now;
    private final Topology topology =
            new Topology(new Shares(2, 3), new Shares(8, 12), () -> Instant.ofEpochMilli(now), new Topology.Listener() {
                @Override
                public void began(EdgeKey edge) {}

                @Override
                public void ended(EdgeKey edge) {}
            });

    @Test
    void anExchangeThatBothSidesReportIsCountedOnce() {
        requests(CHECKOUT, Reporter.SOURCE, "200", 10);
        requests(PAYMENT, Reporter.DESTINATION, "200", 12);

        var edge = topology.edges().getFirst();

        assertThat(topology.edges()).hasSize(1);
        assertThat(edge.requests()).isEqualTo(10);
        assertThat(edge.mutualTls()).isEqualTo(1);
    }

    @Test
    void whatOnlyOneSideSawIsCountedToo() {
        requests(PAYMENT, Reporter.DESTINATION, "200", 12);

        assertThat(topology.edges().getFirst().requests()).isEqualTo(12);
    }

    @Test
    void whatAReporterCountsIsAddedOnceHoweverOftenItIsTold() {
        requests(CHECKOUT, Reporter.SOURCE, "200", 10);
        requests(CHECKOUT, Reporter.SOURCE, "200", 10);
        requests(CHECKOUT, Reporter.SOURCE, "200", 15);
        requests(CHECKOUT, Reporter.SOURCE, "503", 5);

        var edge = topology.edges().getFirst();

        assertThat(edge.requests()).isEqualTo(20);
        assertThat(edge.successRate()).isEqualTo(0.75);
        assertThat(edge.responses()).containsEntry("200", 15L).containsEntry("503", 5L);
    }

    @Test
    void aReporterThatWasRestartedCountsOnFromZero() {
        requests(CHECKOUT, Reporter.SOURCE, "200", 10);

        topology.hear(CHECKOUT, began + 5_000)
                .add(key(Kind.REQUESTS, Reporter.SOURCE, "200"), new long[] {3}, true, true);

        assertThat(topology.edges().getFirst().requests()).isEqualTo(13);
    }

    @Test
    void ratesAndLatenciesAreOfTheLastMinute() {
        requests(CHECKOUT, Reporter.SOURCE, "200", 0);
        for (int i = 1; i <= 30; i++) {
            now += 2_000;
            requests(CHECKOUT, Reporter.SOURCE, "200", i * 200L);
            durations(i * 200L);
        }

        var busy = topology.edges().getFirst();
        now += 120_000;
        var quiet = topology.edges().getFirst();

        assertThat(busy.rate()).isCloseTo(100, within(5.0));
        // All of them took between 5 and 10 ms.
        assertThat(busy.p50()).isEqualTo(7.5);
        assertThat(busy.p99()).isCloseTo(9.95, within(0.01));
        assertThat(quiet.requests()).isEqualTo(6_000);
        assertThat(quiet.rate()).isZero();
        assertThat(quiet.successRate()).isNull();
        assertThat(quiet.p99()).isNull();
    }

    @Test
    void aServiceThatWasRestartedLearnsTheTotalsAndTakesNothingOldForNew() {
        now += 3_600_000;

        requests(CHECKOUT, Reporter.SOURCE, "200", 1_000);
        now += 2_000;
        requests(CHECKOUT, Reporter.SOURCE, "200", 1_004);

        var edge = topology.edges().getFirst();
        assertThat(edge.requests()).isEqualTo(1_004);
        assertThat(edge.rate()).isCloseTo(1, within(0.1));
    }

    @Test
    void edgesBeyondTheLimitAreCountedAsOne() {
        for (int i = 0; i < 8; i++) {
            assertThat(requestsFrom("w" + i, CHECKOUT)).isTrue();
        }

        assertThat(topology.edges()).hasSize(3);
        assertThat(topology.edges()).anySatisfy(edge -> {
            assertThat(edge.key()).isEqualTo(EdgeKey.BEYOND);
            assertThat(edge.requests()).isEqualTo(6);
        });
    }

    @Test
    void whoeverTakesAllItCanHaveLeavesTheOthersTheirs() {
        for (int i = 0; i < 100; i++) {
            var _ = requestsFrom("w" + i, CHECKOUT);
        }

        requests(PAYMENT, Reporter.DESTINATION, "200", 12);

        assertThat(topology.seriesCount()).isEqualTo(9);
        assertThat(topology.edges()).anySatisfy(edge -> {
            assertThat(edge.key()).isEqualTo(EDGE);
            assertThat(edge.requests()).isEqualTo(12);
        });
    }

    @Test
    void whatNobodySpeaksOfIsForgottenWithoutAnybodyReading() {
        for (int i = 0; i < 8; i++) {
            var _ = requestsFrom("w" + i, CHECKOUT);
        }
        now += 3_700_000;

        topology.sweep();

        assertThat(topology.edgeCount()).isZero();
        assertThat(topology.seriesCount()).isZero();
        requests(PAYMENT, Reporter.DESTINATION, "200", 12);
        assertThat(topology.edges()).extracting(Topology.Figures::key).containsExactly(EDGE);
    }

    private boolean requestsFrom(String source, Topology.Workload from) {
        var edge = new EdgeKey(source, "default", "v1", "x", "default", "v1", "x");
        return topology.hear(from, began)
                .add(
                        new SeriesKey(Kind.REQUESTS, Reporter.SOURCE, edge, "unknown", "http", "200", "", "-"),
                        new long[] {1},
                        true,
                        true);
    }

    private void requests(Topology.Workload from, Reporter reporter, String code, long count) {
        topology.hear(from, began).add(key(Kind.REQUESTS, reporter, code), new long[] {count}, true, true);
    }

    private void durations(long count) {
        var counts = new long[Latencies.BUCKETS];
        counts[3] = count;
        topology.hear(CHECKOUT, began).add(key(Kind.DURATION, Reporter.SOURCE, "200"), counts, true, true);
    }

    private static SeriesKey key(Kind kind, Reporter reporter, String code) {
        var security = reporter == Reporter.SOURCE ? "unknown" : "mutual_tls";
        return new SeriesKey(kind, reporter, EDGE, security, "http", code, "", "-");
    }

    private static Topology.Workload workload(String name) {
        return new Topology.Workload(
                name + "-v1", "default", "v1", name, "spiffe://cluster.local/ns/default/sa/" + name);
    }
}
