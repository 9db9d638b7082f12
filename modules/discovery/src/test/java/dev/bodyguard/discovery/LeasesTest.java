package dev.bodyguard.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.xds.protocol.discovery.v1.Workload;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class LeasesTest {
    private static final Workload PAY =
            Workload.newBuilder().setNamespace("default").setName("pay-1").build();

    private final Leases leases = new Leases(Duration.ofSeconds(10), Duration.ofSeconds(2));
    private Instant now = Instant.EPOCH;

    @Test
    void believesForTheLengthOfTheLease() {
        leases.enrol(PAY, 1, now);

        after(Duration.ofMillis(9_999));
        assertThat(leases.expire(now)).isEmpty();
        leases.heard("default/pay-1", 1, now);
        after(Duration.ofMillis(9_999));
        assertThat(leases.expire(now)).isEmpty();
        after(Duration.ofMillis(1));
        assertThat(leases.expire(now)).containsExactly(new Leases.Lost(PAY, 1, Leases.Why.LEASE_RAN_OUT));
        assertThat(leases.alive()).isEmpty();
    }

    @Test
    void givesABrokenStreamItsGraceAndNoMore() {
        leases.enrol(PAY, 1, now);
        leases.broke("default/pay-1", 1, now);

        assertThat(leases.next()).contains(now.plusSeconds(2));
        after(Duration.ofSeconds(2));
        assertThat(leases.expire(now)).containsExactly(new Leases.Lost(PAY, 1, Leases.Why.STREAM_BROKE));
    }

    @Test
    void changesNothingWhenAWorkloadComesBackInTime() {
        leases.enrol(PAY, 1, now);
        leases.broke("default/pay-1", 1, now);
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
        leases.broke("default/pay-1", 1, now);
        assertThat(leases.drain("default/pay-1", 1)).isEmpty();
        after(Duration.ofSeconds(3));

        assertThat(leases.expire(now)).isEmpty();
        assertThat(leases.drain("default/pay-1", 2)).contains(PAY);
        assertThat(leases.alive()).isEmpty();
    }

    @Test
    void believesForOneLeaseInThoseOfBeforeARestart() {
        leases.remember(PAY, now);

        after(Duration.ofSeconds(10));

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

    private void after(Duration time) {
        now = now.plus(time);
    }
}
