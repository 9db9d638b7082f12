package dev.bodyguard.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;

class ChurnTest {
    private static final Instant START = Instant.parse("2026-01-31T12:00:00Z");

    private final Churn churn = new Churn(3, 2);

    @Test
    void asManyMayComeAtOnceAsThereMayBeThenSoManyASecond() {
        assertThat(times("a", START)).isEqualTo(3);

        assertThat(times("a", START.plusMillis(499))).isZero();
        assertThat(times("a", START.plusMillis(500))).isOne();
        assertThat(times("a", START.plusSeconds(2))).isEqualTo(3);
        assertThat(times("a", START.plusSeconds(60))).isEqualTo(3);
    }

    @Test
    void oneAccountTakesNothingFromAnother() {
        times("a", START);

        assertThat(times("b", START)).isEqualTo(3);
    }

    @Test
    void aClockThatGoesBackForgivesNothing() {
        times("a", START);

        assertThat(times("a", START.minusSeconds(60))).isZero();
    }

    @Test
    void remembersWhoIsRestlessHoweverManyOthersCome() {
        times("a", START);
        for (int i = 0; i < 5_000; i++) {
            times("other-" + i, START);
        }

        assertThat(times("a", START)).isZero();
    }

    private int times(String account, Instant now) {
        int times = 0;
        while (times < 10 && churn.take(account, now)) {
            times++;
        }
        return times;
    }
}
