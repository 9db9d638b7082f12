package dev.bodyguard.identity.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class AllowanceTest {
    @Test
    void limitsHowOftenAnAccountMayAsk() {
        var now = new Instant[] {Instant.EPOCH};
        var allowance = new Allowance(3, Duration.ofSeconds(1), () -> now[0]);

        for (int asked = 0; asked < 3; asked++) {
            assertThat(allowance.take("default/checkout")).isTrue();
        }
        assertThat(allowance.take("default/checkout")).isFalse();
        assertThat(allowance.take("default/payment-service")).isTrue();
        now[0] = now[0].plusSeconds(1);
        assertThat(allowance.take("default/checkout")).isTrue();
        assertThat(allowance.take("default/checkout")).isFalse();
    }
}
