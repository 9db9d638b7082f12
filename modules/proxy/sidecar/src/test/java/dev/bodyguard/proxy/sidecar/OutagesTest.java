package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;

final class OutagesTest {
    private static final Instant NOON = Instant.parse("2026-11-27T12:00:00Z");

    private Instant now = NOON;
    private final Outages outages = new Outages(() -> now);

    @Test
    void eachIsToldSinceItsBeginningWithItsNewestReasonUntilItIsOver() {
        outages.goOn(Outages.Service.TELEMETRY, "did not answer within 5 s");
        now = NOON.plusSeconds(3);
        outages.goOn(Outages.Service.CONFIG, "Keepalive failed");
        now = NOON.plusSeconds(13);
        outages.goOn(Outages.Service.CONFIG, "Connection refused");

        assertThat(outages.sentences())
                .containsExactly(
                        "config has not answered for 10 s (since 2026-11-27T12:00:03Z): Connection refused; what was"
                                + " received stays in force",
                        "telemetry has not answered for 13 s (since 2026-11-27T12:00:00Z): did not answer within 5 s;"
                                + " counters go on here and are told later, spans wait as far as there is room");
        outages.end(Outages.Service.CONFIG);
        assertThat(outages.sentences()).hasSize(1);
        outages.end(Outages.Service.TELEMETRY);
        assertThat(outages.sentences()).isEmpty();
    }
}
