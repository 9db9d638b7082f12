package dev.bodyguard.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.xds.protocol.discovery.v1.Workload;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class LeasesTest {
    private static final String NAME = "default/pay-1";
    private static final Workload PAY = at(9001);
    private static final Workload OTHER = at(9002);

    private final Leases leases = new Leases(Duration.ofSeconds(10), Duration.ofSeconds(2));
    private Instant now = Instant.EPOCH;

    @Test
    void believesForTheLengthOfTheLease() {
        leases.enrol(PAY, 1, now);

        after(Duration.ofMillis(9_999));
        assertThat(leases.expire(now)).isEmpty();
        leases.heard(NAME, 1, now);
        after(Duration.ofMillis(9_999));
        assertThat(leases.expire(now)).isEmpty();
        after(Duration.ofMillis(1));
        assertThat(leases.expire(now)).containsExactly(new Leases.Lost(PAY, 1, Leases.Why.LEASE_RAN_OUT));
        assertThat(leases.alive()).isEmpty();
    }

    @Test
    void givesABrokenStreamItsGraceAndNoMore() {
        leases.enrol(PAY, 1, now);
        leases.broke(NAME, 1, now);

        assertThat(leases.next()).contains(now.plusSeconds(2));
        after(Duration.ofSeconds(2));
        assertThat(leases.expire(now)).containsExactly(new Leases.Lost(PAY, Leases.NOBODY, Leases.Why.STREAM_BROKE));
    }

    @Test
    void changesNothingWhenAWorkloadComesBackInTime() {
        leases.enrol(PAY, 1, now);
        leases.broke(NAME, 1, now);
        after(Duration.ofSeconds(1));

        leases.enrol(PAY, 2, now);
        after(Duration.ofSeconds(5));

        assertThat(leases.expire(now)).isEmpty();
        assertThat(leases.alive()).containsExactly(PAY);
    }

    @Test
    void letsTheNewerStreamOfANameDecide() {
        leases.enrol(PAY, 1, now);

        assertThat(leases.enrol(PAY, 2, now)).contains(1L);
        leases.broke(NAME, 1, now);
        assertThat(leases.drain(NAME, 1)).isEmpty();
        after(Duration.ofSeconds(3));

        assertThat(leases.expire(now)).isEmpty();
        assertThat(leases.drain(NAME, 2)).contains(PAY);
        assertThat(leases.alive()).isEmpty();
    }

    @Test
    void keepsANameForTheOneThatHasItAndLives() {
        leases.enrol(PAY, 1, now);
        var since = now;

        for (int second = 0; second < 60; second += 3) {
            after(Duration.ofSeconds(3));
            leases.heard(NAME, 1, now);
            assertThat(leases.taken(OTHER, now)).contains(new Leases.Taken(PAY, since, second > 0));
        }

        leases.drain(NAME, 1);
        assertThat(leases.taken(OTHER, now)).isEmpty();
    }

    @Test
    void givesTheNameOfOneThatWasKilledToItsSuccessorAtOnce() {
        leases.enrol(PAY, 1, now);

        leases.broke(NAME, 1, now);

        assertThat(leases.taken(OTHER, now)).isEmpty();
        assertThat(leases.enrol(OTHER, 2, now)).isEmpty();
        assertThat(leases.alive()).containsExactly(OTHER);
    }

    @Test
    void letsOneThatWaitedHaveTheNameOfABrokenStreamOnlyAfterItsGrace() {
        leases.enrol(PAY, 1, now);
        assertThat(leases.taken(OTHER, now)).isPresent();
        leases.broke(NAME, 1, now);

        assertThat(leases.taken(OTHER, now)).isPresent();
        assertThat(leases.taken(PAY, now)).isEmpty();
        after(Duration.ofSeconds(2));
        leases.expire(now);
        assertThat(leases.taken(OTHER, now)).isEmpty();
    }

    @Test
    void givesTheNameOfOneThatIsSilentToAnother() {
        leases.enrol(PAY, 1, now);

        after(Duration.ofSeconds(6));
        assertThat(leases.taken(OTHER, now)).isPresent();
        after(Duration.ofSeconds(1));
        assertThat(leases.taken(OTHER, now)).isEmpty();
        assertThat(leases.enrol(OTHER, 2, now)).contains(1L);

        leases.heard(NAME, 1, now);
        assertThat(leases.taken(PAY, now)).isPresent();
    }

    @Test
    void keepsTheNameOfOneOfBeforeARestartUntilItHadTimeToReturn() {
        leases.remember(PAY, now);

        assertThat(leases.taken(OTHER, now)).isPresent();
        assertThat(leases.taken(PAY, now)).isEmpty();
        after(Duration.ofSeconds(7));
        assertThat(leases.taken(OTHER, now)).isEmpty();
    }

    @Test
    void letsTwoAtOneAddressNotTakeTurns() {
        leases.enrol(PAY, 1, now);
        assertThat(leases.taken(PAY, now)).isEmpty();
        leases.enrol(PAY, 2, now);

        for (int second = 0; second < 60; second += 3) {
            after(Duration.ofSeconds(3));
            leases.heard(NAME, 2, now);
            assertThat(leases.taken(PAY, now)).isPresent();
        }

        leases.broke(NAME, 2, now);
        assertThat(leases.taken(PAY, now)).isEmpty();
    }

    @Test
    void believesForThreeLeasesInThoseOfBeforeARestart() {
        leases.remember(PAY, now);

        after(Duration.ofSeconds(29));
        assertThat(leases.expire(now)).isEmpty();
        after(Duration.ofSeconds(1));

        assertThat(leases.expire(now)).containsExactly(new Leases.Lost(PAY, Leases.NOBODY, Leases.Why.DID_NOT_RETURN));
    }

    @Test
    void thatNothingWasHeardProvesNothingWhileNobodyListened() {
        leases.enrol(PAY, 1, now);
        after(Duration.ofMinutes(1));

        leases.listensAgain(now);

        assertThat(leases.expire(now)).isEmpty();
        after(Duration.ofSeconds(5));
        assertThat(leases.expire(now)).containsExactly(new Leases.Lost(PAY, 1, Leases.Why.LEASE_RAN_OUT));
    }

    @Test
    void whoeverHasLongerKeepsIt() {
        leases.enrol(PAY, 1, now);

        leases.listensAgain(now);

        assertThat(leases.next()).contains(now.plusSeconds(10));
    }

    private static Workload at(int port) {
        return Workload.newBuilder()
                .setNamespace("default")
                .setName("pay-1")
                .setAddress("127.0.0.1")
                .putPorts(8080, port)
                .build();
    }

    private void after(Duration time) {
        now = now.plus(time);
    }
}
