package dev.bodyguard.xds.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BackoffTest {
    private final Backoff backoff =
            new Backoff(Duration.ofMillis(100), Duration.ofSeconds(1), Duration.ofSeconds(10), new Random(7));

    @Test
    void doublesFromTheLeastAndStaysBetweenHalfAndAllOfIt() {
        for (var ceiling : new long[] {100, 200, 400, 800, 1_000, 1_000}) {
            assertThat(backoff.draw()).isBetween(Duration.ofMillis(ceiling / 2), Duration.ofMillis(ceiling));
        }
    }

    @Test
    void missesTheEndOfARestartByNoMoreThanASecond() {
        var waited = Duration.ZERO;
        while (waited.compareTo(Duration.ofSeconds(20)) < 0) {
            var pause = backoff.draw();

            assertThat(pause).isLessThanOrEqualTo(Duration.ofSeconds(1));
            waited = waited.plus(pause);
        }
    }

    @Test
    void growsToTheMostWhereNobodyAnswersForLong() {
        for (int i = 0; i < 50; i++) {
            backoff.draw();
        }

        assertThat(backoff.draw()).isBetween(Duration.ofSeconds(5), Duration.ofSeconds(10));
    }

    @Test
    void beginsAnewOnceTheControlPlaneAnswered() {
        backoff.draw();
        backoff.draw();

        backoff.reset();

        assertThat(backoff.draw()).isBetween(Duration.ofMillis(50), Duration.ofMillis(100));
    }
}
