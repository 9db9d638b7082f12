package dev.bodyguard.xds.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BackoffTest {
    private final Backoff backoff = new Backoff(new Random(7));

    @Test
    void doublesFromTheLeastAndStaysBetweenHalfAndAllOfIt() {
        for (var ceiling : new long[] {100, 200, 400, 800, 1_000, 1_000}) {
            assertThat(backoff.draw(false)).isBetween(Duration.ofMillis(ceiling / 2), Duration.ofMillis(ceiling));
        }
    }

    @Test
    void missesTheEndOfAnOutageByNoMoreThanASecond() {
        waitsFor(Duration.ofSeconds(59), false, Duration.ofSeconds(1));
    }

    @Test
    void missesTheMomentAtWhichSomebodyListensAgainByNoMoreThanHalfASecond() {
        waitsFor(Duration.ofSeconds(59), true, Duration.ofMillis(500));
    }

    @Test
    void growsToTheMostWhereNobodyAnswersForLong() {
        waitsFor(Duration.ofMinutes(1), true, Duration.ofMillis(500));

        for (var ceiling : new long[] {1_000, 2_000, 4_000, 8_000, 10_000, 10_000}) {
            assertThat(backoff.draw(true)).isBetween(Duration.ofMillis(ceiling / 2), Duration.ofMillis(ceiling));
        }
    }

    @Test
    void beginsAnewOnceTheControlPlaneAnswered() {
        waitsFor(Duration.ofMinutes(2), false, Duration.ofSeconds(10));

        backoff.reset();

        assertThat(backoff.draw(false)).isBetween(Duration.ofMillis(50), Duration.ofMillis(100));
    }

    private void waitsFor(Duration outage, boolean nobodyListens, Duration most) {
        var waited = Duration.ZERO;
        while (waited.compareTo(outage) < 0) {
            var pause = backoff.draw(nobodyListens);

            assertThat(pause).isLessThanOrEqualTo(most);
            waited = waited.plus(pause);
        }
    }
}
