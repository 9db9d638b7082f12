package dev.bodyguard.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.xds.protocol.discovery.v1.Verdict;
import org.junit.jupiter.api.Test;

class VerdictsTest {
    private final Verdicts verdicts = new Verdicts();

    @Test
    void addsUpTheProxiesOfSeveralConfigsAndTakesTheWorstWord() {
        verdicts.heard(1, verdict(7, true, 2, 3));

        var together = verdicts.heard(
                2, verdict(7, false, 0, 2).toBuilder().setWhy("wrong").build());

        assertThat(together.getAccepted()).isFalse();
        assertThat(together.getWhy()).isEqualTo("wrong");
        assertThat(together.getInForce()).isEqualTo(2);
        assertThat(together.getProxies()).isEqualTo(5);
    }

    @Test
    void whoRefusesADocumentIsHeardBeforeWhoOnlyWarns() {
        var warns = verdict(7, true, 2, 3).toBuilder().setWhy("has no effect").build();
        var refuses = verdict(7, false, 0, 2).toBuilder().setWhy("wrong").build();
        verdicts.heard(1, warns);

        assertThat(verdicts.heard(2, refuses).getWhy()).isEqualTo("wrong");
        assertThat(verdicts.heard(1, warns).getWhy()).isEqualTo("wrong");
        assertThat(verdicts.heard(2, verdict(7, true, 2, 2)).getWhy()).isEqualTo("has no effect");
    }

    @Test
    void doesNotMixVersions() {
        verdicts.heard(1, verdict(7, false, 3, 3));

        assertThat(verdicts.heard(2, verdict(8, true, 2, 2))).isEqualTo(verdict(8, true, 2, 5));
    }

    @Test
    void countsTheProxiesOfAConfigThatHasNotSpokenOfADocumentYet() {
        verdicts.heard(1, verdict(7, true, 3, 3));

        var fresh = verdict(1, true, 2, 2).toBuilder()
                .setDocument("another document")
                .build();

        assertThat(verdicts.heard(2, fresh).getProxies()).isEqualTo(5);
    }

    @Test
    void forgetsAConfigThatIsGone() {
        verdicts.heard(1, verdict(7, false, 0, 3));
        assertThat(verdicts.gone(1)).isEmpty();

        assertThat(verdicts.heard(2, verdict(7, true, 2, 2))).isEqualTo(verdict(7, true, 2, 2));
    }

    @Test
    void saysWhatIsLeftWhereAConfigIsKnownToBeGoneAfterItsProxiesCameToAnother() {
        verdicts.heard(1, verdict(7, false, 0, 3));
        verdicts.heard(2, verdict(7, true, 5, 5));

        assertThat(verdicts.gone(1)).containsExactly(verdict(7, true, 5, 5));
    }

    private static Verdict verdict(long generation, boolean accepted, int inForce, int proxies) {
        return Verdict.newBuilder()
                .setDocument("networking.istio.io/VirtualService/shop/pay")
                .setGeneration(generation)
                .setAccepted(accepted)
                .setInForce(inForce)
                .setProxies(proxies)
                .build();
    }
}
