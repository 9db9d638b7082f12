package dev.bodyguard.xds.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BackoffTest {
    @Test
    void doublesFromTheLeastToTheMostAndStaysBetweenHalfAndAllOfIt() {
        var backoff = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(10), new Random(7));

        for (var ceiling : new long[] {100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000}) {
            assertThat(backoff.draw()).isBetween(Duration.ofMillis(ceiling / 2), Duration.ofMillis(ceiling));
        }
    }

    @Test
    void beginsAnewOnceTheControlPlaneAnswered() {
        var backoff = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(10), new Random(7));
        backoff.draw();
        backoff.draw();

        backoff.reset();

        assertThat(backoff.draw()).isBetween(Duration.ofMillis(50), Duration.ofMillis(100));
    }
}
