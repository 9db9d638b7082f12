package dev.bodyguard.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ChartsTest {
    @Test
    void eachChartGetsItsOwnValues() {
        var values = List.of("profile=demo", "kinds.istio=false", "sidecar.resources.requests.cpu=10m");

        assertThat(Charts.set(values, true)).containsExactly("--set", "kinds.istio=false");
        assertThat(Charts.set(values, false))
                .containsExactly("--set", "profile=demo", "--set", "sidecar.resources.requests.cpu=10m");
    }

    @Test
    void anInstallationIsAnUpgradeThatWaits() {
        assertThat(new Charts(Path.of("/charts")).upgrade(Charts.KINDS, "5m", List.of("--set", "kinds.smi=false")))
                .startsWith("upgrade", "bodyguard-crds", "/charts/bodyguard-crds", "--install")
                .contains("--namespace", "bodyguard-system", "--create-namespace", "--wait")
                .endsWith("--set", "kinds.smi=false");
    }
}
