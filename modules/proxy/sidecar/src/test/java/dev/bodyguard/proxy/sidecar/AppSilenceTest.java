package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class AppSilenceTest {
    private static final Instant NOON = Instant.parse("2026-11-27T12:00:00Z");

    private final List<String> heard = new ArrayList<>();
    private Instant now = NOON;
    private final AppSilence silence = new AppSilence("127.0.0.1:8080", () -> now, new AppSilence.Events() {
        @Override
        public void began(String sentence) {
            heard.add(sentence);
        }

        @Override
        public void ended(Duration after) {
            heard.add("over after " + after);
        }
    });

    private void unansweredAt(int second) {
        now = NOON.plusSeconds(second);
        silence.unanswered();
    }

    @Test
    void isToldOnceWithHowManyAndSinceWhenAndIsOverWithTheFirstAnswer() {
        unansweredAt(1);
        unansweredAt(2);
        unansweredAt(3);
        assertThat(silence.sentence()).isEmpty();
        unansweredAt(4);
        unansweredAt(5);
        now = NOON.plusSeconds(13);

        assertThat(silence.sentence())
                .contains("the app on 127.0.0.1:8080 has answered none of the last 5 requests, for 12 s (since"
                        + " 2026-11-27T12:00:01Z): it accepts connections, as one does that hangs or was stopped");
        silence.answered();
        assertThat(silence.sentence()).isEmpty();
        assertThat(heard)
                .containsExactly(
                        "the app on 127.0.0.1:8080 has answered none of the last 4 requests, for 3 s (since"
                                + " 2026-11-27T12:00:01Z): it accepts connections, as one does that hangs or was"
                                + " stopped",
                        "over after PT12S");
    }

    @Test
    void isForgottenOnceNobodyWasLetDownForTwoMinutes() {
        for (int second = 1; second <= 5; second++) {
            unansweredAt(second);
        }
        now = NOON.plusSeconds(125);
        assertThat(silence.sentence()).isPresent();
        now = NOON.plusSeconds(126);
        assertThat(silence.sentence()).isEmpty();

        unansweredAt(150);
        unansweredAt(151);
        assertThat(silence.sentence()).isEmpty();
        unansweredAt(154);

        assertThat(silence.sentence()).get().asString().contains("last 3 requests, for 4 s");
        assertThat(heard).hasSize(2);
    }

    @Test
    void isToldThoughItsOnlyCallerIsPatient() {
        unansweredAt(60);
        unansweredAt(120);
        unansweredAt(180);

        assertThat(silence.sentence()).get().asString().contains("none of the last 3 requests, for 120 s");
    }

    @Test
    void aCallerInAHurryAndTwoSlowAnswersAreNoSilence() {
        for (int i = 0; i < 100; i++) {
            unansweredAt(1);
        }
        silence.answered();
        unansweredAt(2);
        unansweredAt(60);

        assertThat(silence.sentence()).isEmpty();
        assertThat(heard).isEmpty();
    }
}
