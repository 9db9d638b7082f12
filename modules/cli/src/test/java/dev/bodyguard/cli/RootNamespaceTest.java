package dev.bodyguard.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// What kubectl makes of the arguments shows `conformance/run kubernetes` (TestInstallAndUninstall).
final class RootNamespaceTest {
    @Test
    void holdsDocumentsOfWhateverKindTheMeshUnderstandsWhoeverBroughtIt() {
        assertThat(RootNamespace.kinds("""
            peerauthentications.security.istio.io istio-base istio-system
            ratelimits.bodyguard.dev bodyguard-crds bodyguard-system
            httproutes.gateway.networking.k8s.io \\s
            links.multicluster.linkerd.io \\s
            ciliumendpoints.cilium.io \\s
            bodyguard.dev \\s

            """))
                .containsExactly(
                        "peerauthentications.security.istio.io",
                        "ratelimits.bodyguard.dev",
                        "httproutes.gateway.networking.k8s.io");
        assertThat(RootNamespace.kinds("")).isEmpty();
    }

    @Test
    void mayHoldEachKindThatTheChartBrings() throws Exception {
        List<String> brought;
        try (var files = Files.list(Path.of("../../charts/bodyguard-crds/templates"))) {
            brought = files.map(file -> file.getFileName().toString().replaceFirst("\\.yaml$", ""))
                    .toList();
        }

        assertThat(brought).contains("peerauthentications.security.istio.io");
        assertThat(RootNamespace.kinds(brought.stream().collect(Collectors.joining("\n"))))
                .isEqualTo(brought);
    }

    @Test
    void goesWhereNobodyWroteAnything() {
        assertThat(new RootNamespace(List.of()).isInUse()).isFalse();
        assertThat(new RootNamespace(List.of()).removal()).startsWith("delete", "namespace", "bodyguard-system");
    }

    @Test
    void staysWithDocumentsButNotWithTheRootOfTrustAndTellsTheWayOut() {
        var root = new RootNamespace(List.of("PeerAuthentication/default"));

        assertThat(root.isInUse()).isTrue();
        assertThat(root.removal())
                .containsExactly(
                        "delete", "secret", "bodyguard-ca", "--namespace", "bodyguard-system", "--ignore-not-found");
        assertThat(root.stays())
                .isEqualTo("namespace bodyguard-system stays, for it holds PeerAuthentication/default;"
                        + " kubectl delete namespace bodyguard-system deletes it with what it holds");
    }
}
