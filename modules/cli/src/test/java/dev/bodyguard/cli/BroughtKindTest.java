package dev.bodyguard.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/// What kubectl makes of the arguments shows `conformance/run kubernetes` (TestInstallAndUninstall).
final class BroughtKindTest {
    private static final String NAME = "virtualservices.networking.istio.io";

    @Test
    void isOursWhereOurReleaseInTheMeshesNamespaceBroughtIt() {
        assertThat(BroughtKind.ours("""
            sidecars.networking.istio.io bodyguard-crds bodyguard-system
            servers.policy.linkerd.io bodyguard-crds somewhere-else
            ratelimits.bodyguard.dev bodyguard-crds bodyguard-system
            virtualservices.networking.istio.io istio-base bodyguard-system

            trafficsplits.split.smi-spec.io \s
            """)).containsExactly("sidecars.networking.istio.io", "ratelimits.bodyguard.dev");
        assertThat(BroughtKind.ours("")).isEmpty();
    }

    @Test
    void goesWhereNobodyWroteOne() {
        assertThat(new BroughtKind(NAME, List.of()).isInUse()).isFalse();
    }

    @Test
    void staysWithDocumentsAndTellsWhichAndTheWayOut() {
        var kind = new BroughtKind(NAME, List.of("shop/payment-vs"));

        assertThat(kind.isInUse()).isTrue();
        assertThat(kind.stays())
                .isEqualTo(
                        "virtualservices.networking.istio.io stays, for it holds shop/payment-vs; kubectl delete"
                                + " customresourcedefinition virtualservices.networking.istio.io deletes it with what it holds");
    }

    @Test
    void namesThreeDocumentsAndCountsTheRest() {
        assertThat(new BroughtKind(NAME, List.of("a/1", "a/2", "b/3", "b/4", "b/5")).stays())
                .contains(" holds a/1, a/2, b/3 and 2 more; ")
                .hasLineCount(1);
    }

    @Test
    void deletesAllThatGoAtOnce() {
        assertThat(BroughtKind.deletion(List.of("a.x", "b.x")))
                .containsExactly(
                        "delete", "customresourcedefinitions", "a.x", "b.x", "--ignore-not-found", "--timeout=2m");
    }
}
