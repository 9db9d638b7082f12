package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.machine.ProcessState;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class AppStandstillTest {
    private static final Instant NOON = Instant.parse("2026-11-27T12:00:00Z");
    private static final ProcessState LIVE = new ProcessState.Live();
    private static final ProcessState STOPPED = new ProcessState.Halted(ProcessState.By.SIGNAL, 7);

    // Larger than any that Linux gives.
    private static final long SERVER = 100_000_001L;
    private static final long WORKER = 100_000_002L;

    private final List<String> heard = new ArrayList<>();
    private final Map<Long, ProcessState> kernel = new HashMap<>();
    private List<Long> owners = List.of(SERVER);
    private int searches;
    private Instant now = NOON;
    private final AppStandstill app = new AppStandstill(
            "127.0.0.1:8080",
            () -> {
                searches++;
                return owners;
            },
            pid -> kernel.getOrDefault(pid, new ProcessState.Gone()),
            () -> now,
            new AppStandstill.Events() {
                @Override
                public void began(String sentence) {
                    heard.add(sentence);
                }

                @Override
                public void ended(Duration after) {
                    heard.add("over after " + after);
                }
            });

    private void look() {
        now = now.plusSeconds(1);
        app.look();
    }

    private void lookAt(long pid, ProcessState state) {
        kernel.put(pid, state);
        look();
    }

    @Test
    void isToldOnceAndAtOnceAndIsOverWhenTheAppGoesOn() {
        lookAt(SERVER, LIVE);
        lookAt(SERVER, STOPPED);
        look();
        now = now.plusSeconds(10);

        assertThat(app.sentence())
                .contains("the app on 127.0.0.1:8080 accepts connections and answers nobody: it is stopped, pid"
                        + " 100000001 (command unknown) by a signal, as SIGSTOP is; `kill -CONT 100000001` lets it go"
                        + " on, for 11 s (since 2026-11-27T12:00:02Z)");
        lookAt(SERVER, LIVE);
        assertThat(app.sentence()).isEmpty();
        assertThat(heard).hasSize(2).last().isEqualTo("over after PT12S");
    }

    @Test
    void isNoneWhereOneOfThoseWhoShareThePortRuns() {
        owners = List.of(SERVER, WORKER);
        kernel.put(WORKER, LIVE);
        lookAt(SERVER, STOPPED);
        assertThat(heard).isEmpty();

        lookAt(WORKER, STOPPED);
        assertThat(heard).hasSize(1);
    }

    @Test
    void isNoneWhereATracerStopsItForAMomentAgainAndAgain() {
        lookAt(SERVER, new ProcessState.Halted(ProcessState.By.TRACER, 1));
        lookAt(SERVER, new ProcessState.Halted(ProcessState.By.TRACER, 5));
        lookAt(SERVER, new ProcessState.Halted(ProcessState.By.TRACER, 9));
        assertThat(heard).isEmpty();

        look();
        assertThat(heard).hasSize(1).first().asString().contains("by a debugger, for 0 s");
    }

    @Test
    void isNoneOfAFormerOwnerOfThePort() {
        lookAt(SERVER, LIVE);
        owners = List.of(WORKER);
        kernel.put(WORKER, LIVE);

        lookAt(SERVER, STOPPED);

        assertThat(heard).isEmpty();
    }

    @Test
    void followsAnAppThatWasStartedAnew() {
        lookAt(SERVER, LIVE);
        owners = List.of(WORKER);
        kernel.put(WORKER, STOPPED);
        kernel.remove(SERVER);
        for (int i = 0; i < 60; i++) {
            look();
        }

        assertThat(heard).hasSize(1).first().asString().contains("pid 100000002");
    }

    @Test
    void doesNotAskEveryProcessOfTheMachineEachTimeForOneThatIsNotOurs() {
        owners = List.of();
        for (int i = 0; i < 60; i++) {
            look();
        }

        assertThat(searches).isLessThanOrEqualTo(3);
    }
}
