package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.identity.spiffe.Svid;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class RenewalsTest {
    private static final String REFUSED = "the identity service answers UNAVAILABLE";

    private @Nullable Svid current;
    private Instant now = Instant.EPOCH;
    private final Renewals renewals = new Renewals(() -> current, () -> now);

    @BeforeEach
    void anHour() throws IOException {
        current = new TestAuthority("cluster.local").svid("checkout");
    }

    private Svid svid() {
        var svid = current;
        if (svid == null) {
            throw new AssertionError("there is none");
        }
        return svid;
    }

    private void pass(Duration sinceIssue) {
        now = svid().issuedAt().plus(sinceIssue);
    }

    private Instant seconds(Instant instant) {
        return instant.truncatedTo(ChronoUnit.SECONDS);
    }

    @Test
    void aFewFailuresAreOrdinary() {
        pass(Duration.ofMinutes(41));
        renewals.failed(REFUSED, current, Duration.ofSeconds(1));
        pass(Duration.ofMinutes(49));

        assertThat(renewals.problem()).isEmpty();
    }

    @Test
    void pastFiveSixthsOfItsLifeItIsAWarningWithTheReason() {
        pass(Duration.ofMinutes(41));
        renewals.failed(REFUSED, current, Duration.ofSeconds(1));
        pass(Duration.ofMinutes(51));

        assertThat(renewals.problem()).hasValueSatisfying(problem -> {
            assertThat(problem.about()).isEqualTo(Problem.About.CERTIFICATE);
            assertThat(problem.severity()).isEqualTo(Problem.Severity.WARNING);
            assertThat(problem.sentence())
                    .startsWith("its certificate expires at " + seconds(svid().expiresAt())
                            + ", and the renewal that was due at ")
                    .contains(
                            " fails: " + REFUSED + "; it is tried again until it succeeds: is the identity service up");
        });
    }

    @Test
    void anExpiredOneIsAnError() {
        pass(Duration.ofMinutes(61));
        renewals.failed(REFUSED, current, Duration.ofSeconds(1));

        assertThat(renewals.problem()).hasValueSatisfying(problem -> {
            assertThat(problem.severity()).isEqualTo(Problem.Severity.ERROR);
            assertThat(problem.sentence())
                    .startsWith(
                            "its certificate expired at " + seconds(svid().expiresAt()) + ", so peers refuse it, and ")
                    .contains(REFUSED);
        });
    }

    @Test
    void aRenewalThatHasNotEndedIsOneToo() {
        pass(Duration.ofMinutes(51));

        assertThat(renewals.problem())
                .hasValueSatisfying(
                        problem -> assertThat(problem.sentence()).contains(" has not ended; it is tried again"));
    }

    @Test
    void aNewCertificateEndsIt() throws IOException {
        pass(Duration.ofMinutes(61));
        renewals.failed(REFUSED, current, Duration.ofSeconds(1));

        current = new TestAuthority("cluster.local").svid("checkout");
        renewals.rotated(svid());
        pass(Duration.ofMinutes(1));
        assertThat(renewals.problem()).isEmpty();

        // What failed before is no reason any more.
        pass(Duration.ofMinutes(51));
        assertThat(renewals.problem())
                .hasValueSatisfying(problem -> assertThat(problem.sentence()).doesNotContain(REFUSED));
    }

    @Test
    void withoutACertificateThereIsNothingToRenew() {
        current = null;

        assertThat(renewals.problem()).isEmpty();
    }
}
