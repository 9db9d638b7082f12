package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.proxy.sidecar.Readiness.Need;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ReadinessTest {
    private final Readiness readiness = new Readiness();

    @Test
    void waitsUntilEverythingWantedIsThere() throws InterruptedException {
        readiness.met(Need.INBOUND);
        var other = Thread.ofVirtual().start(() -> readiness.met(Need.OUTBOUND));

        assertThat(readiness.await(Duration.ofSeconds(20), Need.INBOUND, Need.OUTBOUND))
                .isTrue();
        other.join();
    }

    @Test
    void givesUpAfterAWhile() throws InterruptedException {
        readiness.met(Need.INBOUND);

        assertThat(readiness.await(Duration.ofMillis(20), Need.INBOUND, Need.OUTBOUND))
                .isFalse();
    }
}
