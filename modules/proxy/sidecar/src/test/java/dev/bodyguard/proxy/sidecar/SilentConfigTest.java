package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.proxy.engine.Resources;
import dev.bodyguard.proxy.wire.Fields;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// What a sidecar does about hosts of which config says nothing.
@Execution(ExecutionMode.CONCURRENT)
class SilentConfigTest {
    private App app;
    private TestSidecar caller;

    @BeforeEach
    void start() throws IOException {
        app = new App((_, answer) -> answer.send(200, "from a stranger"));
        caller = new TestSidecar("checkout", 1, new TestAuthority("cluster.local").svid("checkout"));
        caller.config
                .put(Resources.LISTENER, "outbound", Given.outboundAllowingAny())
                .put(Resources.CLUSTER, "PassthroughCluster", Given.passThrough())
                .fallSilentAbout(Resources.VIRTUAL_HOST);
        caller.follow();
    }

    @AfterEach
    void stop() throws IOException {
        caller.close();
        app.close();
    }

    @Test
    void aNameThatOnlyTheMeshCanMeanIsNotCalledInPlainText() throws IOException {
        var answer = caller.get("http://payment-service/");

        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.body())
                .contains("the control plane has not said within a second how to reach 80/payment-ser");
        assertThat(answer.headers()).containsEntry("retry-after", "1").containsEntry("x-bodyguard-flag", "NC");
    }

    @Test
    void anyOtherNameFollowsTheOutboundPolicy() throws IOException {
        assertThat(caller.get("http://localhost:" + app.port() + "/").body()).isEqualTo("from a stranger");
        assertThat(caller.get("http://127.0.0.1:" + app.port() + "/").body()).isEqualTo("from a stranger");
    }

    @Test
    void whoeverGivesUpLeavesItsPlaceToWaitToOthers() throws IOException {
        caller.http2("GET", "localhost:" + app.port(), "/", new Fields(), "");
        caller.askInVain(TestSidecar.PARKED, "payment-service");
        assertThat(caller.line(TestSidecar.PARKED + 1)).contains("\"response_flags\":\"DC\"");
        long from = System.nanoTime();

        var answer = caller.http2("GET", "payment-service", "/", new Fields(), "");

        assertThat(answer.status()).isEqualTo(503);
        assertThat(Duration.ofNanos(System.nanoTime() - from))
                .as("it waited, for which it needs a place")
                .isGreaterThan(Duration.ofMillis(900));
    }
}
