package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Duration;
import com.google.protobuf.UInt32Value;
import dev.bodyguard.proxy.engine.Resources;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.cluster.v3.OutlierDetection;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.type.v3.Percent;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Two instances, of which one fails: by answers, by connections and by silence.
class EjectionTest {
    private static final int IN_A_ROW = 3;

    private final TestAuthority authority = authority();
    private final AtomicBoolean broken = new AtomicBoolean(true);
    private App.Handler breaking = (_, answer) -> answer.send(500, "broken");
    private App good;
    private App bad;
    private TestSidecar atGood;
    private TestSidecar atBad;
    private TestSidecar caller;

    @BeforeEach
    void start() throws IOException {
        good = new App((_, answer) -> answer.send(200, "good"));
        bad = new App((request, answer) -> {
            if (broken.get()) {
                breaking.handle(request, answer);
            } else {
                answer.send(200, "healed");
            }
        });
        atGood = callee(good.port());
        atBad = callee(bad.port());
        caller = new TestSidecar("checkout", 1, authority.svid("checkout"));
        caller.config
                .put(Resources.LISTENER, "outbound", Given.outboundAllowingAny())
                .put(Resources.CLUSTER, Given.CLUSTER, cluster())
                .put(Resources.ASSIGNMENT, Given.CLUSTER, Given.meshed(atGood.inboundPort(), atBad.inboundPort()));
        route(Given.to(Given.CLUSTER));
        caller.follow();
    }

    @AfterEach
    void stop() throws IOException {
        caller.close();
        atBad.close();
        atGood.close();
        bad.close();
        good.close();
    }

    @Test
    void whoAnswersWithErrorsGetsNothingMoreUntilItsTimeIsOver() throws IOException {
        assertThat(until(500, IN_A_ROW)).containsEntry(500, IN_A_ROW);
        assertThat(ask(50)).containsExactly(Map.entry(200, 50));
        assertThat(bad.seen).hasSize(IN_A_ROW);

        assertThat(caller.metrics())
                .contains("bodyguard_upstream_ejections_total{destination_service="
                        + "\"payment-service.default.svc.cluster.local\",reason=\"consecutive_5xx\"} 1");
        assertThat(Ejected.count(caller.plan())).isEqualTo(1);
        assertThat(Ejected.sentences(caller.plan()))
                .containsExactly("of 2 endpoints of " + Given.CLUSTER + " 1 is left alone: workload payment-service-v2-"
                        + atBad.inboundPort() + " at 127.0.0.1:" + atBad.inboundPort()
                        + " is ejected for 30 s more, as 3 times in a row it answered 5xx or not at all, by its outlier"
                        + " detection");

        broken.set(false);
        caller.clock.addAndGet(java.time.Duration.ofSeconds(30).toNanos() - 1);
        assertThat(ask(20)).containsExactly(Map.entry(200, 20));
        assertThat(bad.seen).hasSize(IN_A_ROW);
        caller.clock.incrementAndGet();
        ask(50);
        assertThat(bad.seen).hasSizeGreaterThan(IN_A_ROW);
        assertThat(Ejected.sentences(caller.plan())).isEmpty();
    }

    @Test
    void whoCannotBeReachedGetsNothingMore() throws IOException {
        atBad.close();

        assertThat(until(503, IN_A_ROW)).containsEntry(503, IN_A_ROW);
        assertThat(ask(50)).containsExactly(Map.entry(200, 50));
    }

    @Test
    void whoIsTooSlowGetsNothingMore() throws IOException {
        breaking = (_, answer) -> bad.hang(answer);
        route(Given.to(Given.CLUSTER).setTimeout(Duration.newBuilder().setNanos(200_000_000)));

        TestSidecar.eventually("the timeout is in force", () -> {
            try {
                return ask(4).containsKey(504);
            } catch (IOException failed) {
                throw new AssertionError(failed);
            }
        });
        TestSidecar.eventually("it is ejected", () -> {
            try {
                ask(1);
            } catch (IOException failed) {
                throw new AssertionError(failed);
            }
            return Ejected.count(caller.plan()) == 1;
        });
        // The other one is in no hurry, which a busy machine would see as slowness, too.
        var hurried = caller.plan();
        route(Given.to(Given.CLUSTER));
        TestSidecar.eventually("the timeout is no more", () -> caller.plan() != hurried);
        assertThat(ask(50)).containsExactly(Map.entry(200, 50));
    }

    @Test
    void whoIsTooSlowForACallerInHasteIsNotBlamed() throws IOException {
        breaking = (_, answer) -> bad.hang(answer);
        int late = 0;
        for (int i = 0; i < 200 && late < 3 * IN_A_ROW; i++) {
            var answer = caller.ask("GET", "http://payment-service/pay", "x-envoy-expected-rq-timeout-ms: 100\r\n", "");
            late += answer.status() == 504 ? 1 : 0;
        }

        assertThat(late).isEqualTo(3 * IN_A_ROW);
        assertThat(Ejected.count(caller.plan())).isZero();
    }

    @Test
    void whereNobodyIsLeftItIsSaidWhy() throws IOException {
        good.close();
        atGood.close();

        assertThat(until(500, IN_A_ROW)).containsEntry(500, IN_A_ROW);
        ask(3 * IN_A_ROW);
        var answer = caller.get("http://payment-service/pay");

        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.body())
                .contains("no endpoint of " + Given.CLUSTER + " is in service: of 2 that it has 2 are");
        TestSidecar.eventually(
                "the line of it is written", () -> caller.line(caller.lines()).contains("\"response_flags\":\"UH\""));
        assertThat(Ejected.sentences(caller.plan())).singleElement().asString().contains("requests are refused");
    }

    /// Asks until so many got this status; what they got in all.
    private Map<Integer, Integer> until(int status, int times) throws IOException {
        var got = new HashMap<Integer, Integer>();
        for (int i = 0; i < 200 && got.getOrDefault(status, 0) < times; i++) {
            ask(1).forEach((one, count) -> got.merge(one, count, Integer::sum));
        }
        return got;
    }

    private Map<Integer, Integer> ask(int times) throws IOException {
        var got = new HashMap<Integer, Integer>();
        for (int i = 0; i < times; i++) {
            got.merge(caller.get("http://payment-service/pay").status(), 1, Integer::sum);
        }
        return got;
    }

    private void route(RouteAction.Builder action) {
        caller.config.put(
                Resources.VIRTUAL_HOST, "80/payment-service", Given.host("80/payment-service", Given.route(action)));
    }

    private Cluster cluster() {
        return Given.cluster(authority.id("payment-service").toString()).toBuilder()
                .setOutlierDetection(OutlierDetection.newBuilder()
                        .setConsecutive5Xx(UInt32Value.of(IN_A_ROW))
                        .setMaxEjectionPercent(UInt32Value.of(100)))
                .setCommonLbConfig(
                        Cluster.CommonLbConfig.newBuilder().setHealthyPanicThreshold(Percent.getDefaultInstance()))
                .build();
    }

    private TestSidecar callee(int appPort) throws IOException {
        var sidecar = new TestSidecar("payment-service", appPort, authority.svid("payment-service"));
        sidecar.config
                .put(Resources.LISTENER, "inbound", Given.inbound(appPort))
                .put(Resources.LISTENER, "outbound", Given.outboundAllowingAny())
                .put(Resources.CLUSTER, "inbound|" + appPort + "||", Given.inboundCluster(appPort));
        sidecar.follow();
        TestSidecar.eventually(
                "the app's cluster is known", () -> sidecar.plan().cluster("inbound|" + appPort + "||") != null);
        return sidecar;
    }

    private static TestAuthority authority() {
        try {
            return new TestAuthority("cluster.local");
        } catch (IOException failed) {
            throw new AssertionError(failed);
        }
    }
}
