package dev.bodyguard.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class StatusTest {
    private static final LocalMesh.Proxy WELL = new LocalMesh.Proxy(
            "checkout-a",
            "spiffe://cluster.local/ns/default/sa/checkout",
            1,
            "127.0.0.1:9",
            true,
            true,
            true,
            4000,
            List.of());
    private static final LocalMesh.Proxy ILL = new LocalMesh.Proxy(
            "payment-service-a",
            "spiffe://cluster.local/ns/default/sa/payment-service",
            2,
            "127.0.0.1:9",
            true,
            false,
            false,
            -5,
            List.of("its certificate has expired", "the control plane has no configuration stream of it"));

    @TempDir
    private Path state;

    @BeforeEach
    void ownerOnly() throws Exception {
        Files.setPosixFilePermissions(state, PosixFilePermissions.fromString("rwx------"));
    }

    @Test
    void everyProxyHasItsRowAndEveryTroubleItsLine() {
        var printed = new ByteArrayOutputStream();

        StatusCommand.print(
                new LocalMesh(
                        state,
                        "127.0.0.1:15019",
                        "",
                        List.of(WELL, ILL),
                        List.of(new LocalMesh.Problem("ERROR", "payments.yaml:19:19: weight"))),
                new PrintStream(printed, true, StandardCharsets.UTF_8));

        assertThat(printed.toString(StandardCharsets.UTF_8).lines())
                .containsExactly(
                        "control plane: ready, admin 127.0.0.1:15019",
                        "WORKLOAD           CONNECTED  IN SYNC  CERTIFICATE  PROBLEMS",
                        "checkout-a         yes        yes      1h6m         none",
                        "payment-service-a  NO         NO       EXPIRED      its certificate has expired",
                        "                                                    the control plane has no configuration"
                                + " stream of it",
                        "ERROR payments.yaml:19:19: weight");
    }

    @Test
    void aMeshInWhichAllIsWellPassesEveryCheck() {
        var findings = CheckCommand.findings(new LocalMesh(state, "127.0.0.1:15019", "", List.of(WELL), List.of()));

        assertThat(findings).hasSize(6).allMatch(finding -> finding.wayOut().isEmpty());
    }

    @Test
    void whatIsWrongFailsItsCheckWithAReason() throws Exception {
        Files.setPosixFilePermissions(state, PosixFilePermissions.fromString("rwxr-xr-x"));

        var failed = CheckCommand.findings(new LocalMesh(
                        state,
                        "127.0.0.1:15019",
                        "not ready: config does not know all documents",
                        List.of(ILL),
                        List.of(new LocalMesh.Problem("ERROR", "payments.yaml:19:19: weight"))))
                .stream()
                .map(CheckCommand.Finding::line)
                .toList();

        assertThat(failed)
                .allMatch(line -> line.startsWith("FAIL  "))
                .anyMatch(line -> line.contains("chmod 700"))
                .anyMatch(line -> line.contains("payments.yaml:19:19"))
                .anyMatch(
                        line -> line.contains("payment-service-a has a certificate for a while: its life is EXPIRED"));
    }

    @Test
    void aFolderThatIsNotThereIsOneSentence() {
        assertThatThrownBy(() -> LocalMesh.read(state.resolve("nowhere")))
                .isInstanceOf(Failure.class)
                .hasMessageContaining("there is no such folder; --state names the one that `bodyguard run`");
    }

    @Test
    void aFolderWithoutAControlPlaneSaysHowToStartOne() {
        assertThat(LocalMesh.read(state).plane()).contains("start `bodyguard run -f DIR --state " + state);
    }
}
