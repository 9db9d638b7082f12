package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.proxy.engine.ClusterPlan;
import dev.bodyguard.proxy.engine.Ejection;
import dev.bodyguard.proxy.engine.Ejections;
import dev.bodyguard.telemetry.record.Meters;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SparingTest {
    private final List<String> said = new ArrayList<>();
    private final ArrayDeque<Runnable> later = new ArrayDeque<>();
    private final Sparing sparing = new Sparing((_, task) -> later.add(task), said::add, "x_total");

    @Test
    void theFirstOnesAreToldWholeAndTheOthersCounted() {
        for (int i = 0; i < 1_000; i++) {
            int number = i;
            sparing.say("plaintext", () -> "plaintext from " + number);
        }
        sparing.say("handshake", () -> "handshake");
        assertThat(said)
                .hasSize(Sparing.WHOLE + 1)
                .contains("plaintext from 0", "plaintext from 9", "handshake")
                .doesNotContain("plaintext from 10");

        said.clear();
        tenSecondsLater();

        assertThat(said).hasSize(1);
        assertThat(said.getFirst()).startsWith("plaintext: 990 more in 10 s");

        sparing.say("plaintext", () -> "plaintext again");
        assertThat(said).last().isEqualTo("plaintext again");
    }

    @Test
    void whoIsToldEverythingIsToldNothingElse() {
        sparing.say("plaintext", () -> "plaintext");
        tenSecondsLater();

        assertThat(said).containsExactly("plaintext");
    }

    @Test
    void aHostilePeerCannotFillTheLog() {
        var lines = new ArrayList<String>();
        var meters = new Meters();
        var log = new SidecarLog(
                new Lines(lines), meters, new Outages(InstantSource.system()), (_, task) -> later.add(task));
        var peer = new InetSocketAddress(InetAddress.getLoopbackAddress(), 1);

        int told = 0;
        for (int i = 0; i < 1_000; i++) {
            log.handshakeFailed(peer, "x");
            log.plaintextRefused(peer, "x");
            log.malformed(peer, "x");
            told += log.unread() ? 1 : 0;
            log.overflowed(peer, "x");
            log.bytesRefused(peer, null, "x");
            told += log.tunnelRefused() ? 1 : 0;
        }
        tenSecondsLater();

        assertThat(told).isEqualTo(2 * Sparing.WHOLE);
        assertThat(lines).hasSize(5 * (Sparing.WHOLE + 1) + 2);
        assertThat(meters.text())
                .contains("bodyguard_connections_refused_total{reason=\"handshake\"} 1000")
                .contains("bodyguard_connections_refused_total{reason=\"malformed\"} 1000");
    }

    @Test
    void saysInEnvoysWordsWhyAConnectionIsTurnedDown() {
        var lines = new ArrayList<String>();
        var log = new SidecarLog(
                new Lines(lines), new Meters(), new Outages(InstantSource.system()), (_, task) -> later.add(task));
        var peer = new InetSocketAddress(InetAddress.ofLiteral("::1"), 7);

        log.handshakeFailed(peer, "a certificate of spiffe://a\nb");
        log.plaintextRefused(peer, "x");
        log.captureRefused(peer, "x");
        log.overflowed(peer, "x");
        log.malformed(peer, "x");

        assertThat(lines)
                .containsExactly(
                        "refused a connection from [::1]:7 (DPE): a certificate of spiffe://a\\u000ab",
                        "refused plaintext from [::1]:7 (NR filter_chain_not_found): x",
                        "closed a connection from [::1]:7 (NR filter_chain_not_found): x",
                        "closed a connection from [::1]:7 (OM): x",
                        "closed a connection from [::1]:7 (DPE): x");
    }

    @Test
    void tellsOfEveryEjectionAndReturnAndOnceOfAClusterThatHasNobodyToSpare() {
        var lines = new ArrayList<String>();
        var meters = new Meters();
        var log = new SidecarLog(
                        new Lines(lines), meters, new Outages(InstantSource.system()), (_, task) -> later.add(task))
                .ofEndpoints();
        var ejection = new Ejection(
                new Ejection.Whom(
                        "outbound|80|v2|pay",
                        new ClusterPlan.Service("pay", "", ""),
                        "10.0.0.1:80",
                        "pay-1",
                        "DestinationRule default/pay (pay.yaml:3:1)"),
                Ejection.Cause.SERVER_ERRORS,
                3,
                Duration.ofSeconds(30),
                1);

        log.ejected(ejection);
        log.returned(ejection);
        log.spared(ejection, Ejections.Reason.TOO_MANY);
        log.spared(ejection, Ejections.Reason.TOO_MANY);
        log.spared(ejection, Ejections.Reason.NOT_ENFORCED);

        assertThat(lines)
                .containsExactly(
                        "ejected workload pay-1 at 10.0.0.1:80 from outbound|80|v2|pay for 30000 ms: 3 times in a row it"
                                + " answered 5xx or not at all; DestinationRule default/pay (pay.yaml:3:1)",
                        "workload pay-1 at 10.0.0.1:80 is in service again in outbound|80|v2|pay; it was ejected for"
                                + " 30000 ms",
                        "did not eject workload pay-1 at 10.0.0.1:80 from outbound|80|v2|pay, although 3 times in a row"
                                + " it answered 5xx or not at all: no more of its endpoints may be ejected at one time;"
                                + " DestinationRule default/pay (pay.yaml:3:1) (maxEjectionPercent, 10 unless said)");
        assertThat(meters.text())
                .contains(
                        "bodyguard_upstream_ejections_total{destination_service=\"pay\",reason=\"consecutive_5xx\"} 1",
                        "reason=\"consecutive_5xx\",why=\"too_many\"} 2",
                        "reason=\"consecutive_5xx\",why=\"not_enforced\"} 1");

        lines.clear();
        tenSecondsLater();
        log.spared(ejection, Ejections.Reason.TOO_MANY);
        for (int i = 0; i < 100; i++) {
            log.ejected(ejection);
        }
        assertThat(lines).hasSize(1 + Sparing.WHOLE);
        tenSecondsLater();
        assertThat(lines)
                .last()
                .isEqualTo("ejections: 90 more in 10 s, of which nothing else is said;"
                        + " bodyguard_upstream_ejections_total counts all");
    }

    private void tenSecondsLater() {
        for (var task = later.poll(); task != null; task = later.poll()) {
            task.run();
        }
    }

    private record Lines(List<String> lines) implements System.Logger {
        @Override
        public String getName() {
            return "test";
        }

        @Override
        public boolean isLoggable(Level level) {
            return true;
        }

        @Override
        public void log(Level level, java.util.ResourceBundle bundle, String message, Throwable thrown) {
            lines.add(message);
        }

        @Override
        public void log(Level level, java.util.ResourceBundle bundle, String format, Object... parameters) {
            lines.add(format);
        }
    }
}
