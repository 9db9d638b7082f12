package dev.bodyguard.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

final class FollowingDiscoveryTest {
    private static final Instant NOON = Instant.parse("2026-11-27T12:00:00Z");

    private Instant now = NOON;
    private final FollowingDiscovery following = new FollowingDiscovery(new Diary(), new Feed((_, _) -> {}), () -> now);

    @Test
    void anOutageLastsFromTheFirstLossToTheNextAnswerAndHasTheNewestReason() {
        assertThat(following.outage()).isEmpty();

        following.lost("Keepalive failed", Duration.ofMillis(100));
        now = NOON.plusSeconds(12);
        following.lost("connection refused", Duration.ofMillis(200));

        assertThat(following.outage())
                .contains("discovery has not answered config for 12 s (since 2026-11-27T12:00:00Z): connection refused;"
                        + " everything stays as it is, and edits wait");
        following.connected();
        assertThat(following.outage()).isEmpty();
    }
}
