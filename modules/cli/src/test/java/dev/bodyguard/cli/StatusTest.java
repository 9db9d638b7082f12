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
            "sidecar",
            "checkout-a",
            "spiffe://cluster.local/ns/default/sa/checkout",
            true,
            true,
            new LocalMesh.Certificate.Left(4000, List.of()),
            new LocalMesh.LocalProcess("127.0.0.1:9", true),
            List.of());
    private static final LocalMesh.Proxy ILL = new LocalMesh.Proxy(
            "sidecar",
            "payment-service-a",
            "spiffe://cluster.local/ns/default/sa/payment-service",
            false,
            false,
            new LocalMesh.Certificate.Left(-5, List.of(LocalMesh.Trouble.error("its certificate expired at noon"))),
            new LocalMesh.LocalProcess("127.0.0.1:9", true),
            List.of(LocalMesh.Trouble.error("the control plane has no configuration stream of it")));

    /// As config tells of a stream.
    private static LocalMesh.Proxy envoy(boolean inForce, String refused) {
        return LocalMesh.elsewhere(Json.object("""
                {"node":"sidecar~127.0.0.1~checkout-1.default~default.svc.cluster.local","kind":"envoy",
                 "peer":"spiffe://cluster.local/ns/default/sa/checkout at /127.0.0.1:4711",
                 "cameWithCertificateUntil":"2026-01-02T04:04:05Z","connected":true,"offered":"7",
                 "settled":true,"inForce":%s,"types":[],"refused":[%s]}\
                """.formatted(inForce, refused)));
    }

    private static final LocalMesh.Proxy GONE = LocalMesh.elsewhere(Json.object("""
            {"node":"sidecar~127.0.0.1~checkout-2.default~default.svc.cluster.local","kind":"grpc",
             "peer":"spiffe://cluster.local/ns/default/sa/checkout at /127.0.0.1:4712",
             "cameWithCertificateUntil":"2026-01-02T04:04:05Z","connected":false,"since":"2026-01-02T03:04:05Z",
             "forgottenAt":"2026-01-02T04:04:05Z","why":"the client is gone"}\
            """));

    private static final String TOO_LARGE = """
        {"type":"type.googleapis.com/envoy.config.route.v3.RouteConfiguration","name":"outbound",
         "why":"pattern too large\\n  compile failed\\n"}\
        """;

    private static final String ADMIN = "127.0.0.1:15019";

    @TempDir
    private Path state;

    private LocalMesh mesh(LocalMesh.Plane plane, LocalMesh.Proxy... proxies) {
        return new LocalMesh(state, plane, List.of(proxies));
    }

    private static LocalMesh.Plane answers(LocalMesh.Trouble... problems) {
        return new LocalMesh.Plane.Answers(ADMIN, "", List.of(problems));
    }

    @BeforeEach
    void ownerOnly() throws Exception {
        Files.setPosixFilePermissions(state, PosixFilePermissions.fromString("rwx------"));
    }

    @Test
    void everyProxyHasItsRowAndEveryTroubleItsLine() {
        var printed = new ByteArrayOutputStream();

        StatusCommand.print(
                mesh(
                        answers(LocalMesh.Trouble.error("payments.yaml:19:19: weight")),
                        WELL,
                        ILL,
                        envoy(true, ""),
                        envoy(false, TOO_LARGE),
                        GONE),
                new PrintStream(printed, true, StandardCharsets.UTF_8));

        assertThat(printed.toString(StandardCharsets.UTF_8).lines())
                .containsExactly(
                        "control plane: ready, admin 127.0.0.1:15019",
                        "KIND     WORKLOAD           CONNECTED  IN SYNC  CERTIFICATE                               PROBLEMS",
                        "sidecar  checkout-a         yes        yes      1h6m                                      none",
                        "sidecar  payment-service-a  NO         NO       EXPIRED                                   its"
                                + " certificate expired at noon",
                        " ".repeat(90) + "the control plane has no configuration stream of it",
                        "envoy    checkout-1         yes        yes      came with one until 2026-01-02T04:04:05Z  none",
                        "envoy    checkout-1         yes        NO       came with one until 2026-01-02T04:04:05Z  it"
                                + " refused outbound: pattern too large; compile failed",
                        "grpc     checkout-2         NO         NO       came with one until 2026-01-02T04:04:05Z  not"
                                + " connected since 2026-01-02T03:04:05Z (the client is gone); start it again, or,"
                                + " where it was stopped for good, leave it: it is forgotten at 2026-01-02T04:04:05Z",
                        "ERROR payments.yaml:19:19: weight");
    }

    @Test
    void aMeshInWhichAllIsWellPassesEveryCheck() {
        var findings = CheckCommand.findings(mesh(answers(), WELL, envoy(true, "")));

        assertThat(findings).hasSize(7).allMatch(finding -> finding.wayOut().isEmpty());
    }

    @Test
    void whatIsWrongFailsItsCheckWithAReason() throws Exception {
        Files.setPosixFilePermissions(state, PosixFilePermissions.fromString("rwxr-xr-x"));

        var failed = CheckCommand.findings(mesh(
                        new LocalMesh.Plane.Answers(
                                ADMIN,
                                "not ready: config does not know all documents",
                                List.of(LocalMesh.Trouble.error("payments.yaml:19:19: weight"))),
                        ILL))
                .stream()
                .map(CheckCommand.Finding::line)
                .toList();

        assertThat(failed)
                .allMatch(line -> line.startsWith("FAIL  "))
                .anyMatch(line -> line.contains("chmod 700"))
                .anyMatch(line -> line.contains("payments.yaml:19:19"))
                .anyMatch(line -> line.contains(
                        "payment-service-a has a certificate that is renewed in time: its certificate expired at"
                                + " noon"));
    }

    @Test
    void whoeverRefusesWhatItWasSentFailsItsCheck() {
        var failed = CheckCommand.findings(mesh(answers(), WELL, envoy(false, TOO_LARGE), envoy(false, ""))).stream()
                .map(CheckCommand.Finding::line)
                .filter(line -> line.startsWith("FAIL"));

        assertThat(failed)
                .containsExactly(
                        "FAIL  envoy checkout-1 has all that the control plane sent in force: it refused outbound:"
                                + " pattern too large; compile failed",
                        "FAIL  envoy checkout-1 has all that the control plane sent in force: it has not answered yet"
                                + " all that it was sent");
    }

    @Test
    void aCertificateThatIsNotRenewedInTimeIsAWarning() {
        var late = new LocalMesh.Proxy(
                "sidecar",
                "checkout-a",
                "spiffe://cluster.local/ns/default/sa/checkout",
                true,
                true,
                new LocalMesh.Certificate.Left(3, List.of(LocalMesh.Trouble.warning("its certificate expires soon"))),
                new LocalMesh.LocalProcess("127.0.0.1:9", true),
                List.of());

        var findings = CheckCommand.findings(mesh(answers(), late));

        assertThat(findings.stream().map(CheckCommand.Finding::line))
                .contains(
                        "ok    checkout-a runs and is ready",
                        "WARN  checkout-a has a certificate that is renewed in time: its certificate expires soon");
        assertThat(CheckCommand.summary(findings)).isEqualTo("all is well, 1 warning");
    }

    @Test
    void anOutsiderThatIsNotConnectedAnyMoreIsAWarning() {
        var findings = CheckCommand.findings(mesh(answers(), WELL, envoy(true, ""), GONE));

        assertThat(findings.stream()
                        .filter(finding -> finding.result() != CheckCommand.Result.OK)
                        .map(CheckCommand.Finding::line))
                .containsExactly("WARN  grpc checkout-2 is connected: not connected since 2026-01-02T03:04:05Z (the"
                        + " client is gone); start it again, or, where it was stopped for good, leave it: it is"
                        + " forgotten at 2026-01-02T04:04:05Z");
        assertThat(CheckCommand.summary(findings)).isEqualTo("all is well, 1 warning");
    }

    @Test
    void whatAnAuthorWroteThatIsNotInForceIsAWarningAndAMistakeFails() {
        var beaten = LocalMesh.Trouble.warning("VirtualService default/payment-vs: not in force");
        var mistaken = LocalMesh.Trouble.error("payments.yaml:19:19: weight");

        var warned = CheckCommand.findings(mesh(answers(beaten)));
        var failed = CheckCommand.findings(mesh(answers(mistaken, beaten)));

        assertThat(warned.stream().map(CheckCommand.Finding::line))
                .contains("WARN  what authors wrote is in force: VirtualService default/payment-vs: not in force");
        assertThat(CheckCommand.summary(warned)).isEqualTo("all is well, 1 warning");
        assertThat(failed.stream().map(CheckCommand.Finding::line))
                .contains("FAIL  what authors wrote is in force: payments.yaml:19:19: weight; VirtualService"
                        + " default/payment-vs: not in force");
    }

    @Test
    void whatIsInForceNobodyKnowsWhereNoControlPlaneAnswers() {
        var findings = CheckCommand.findings(LocalMesh.read(state));

        assertThat(findings.stream().map(CheckCommand.Finding::line))
                .contains("FAIL  what authors wrote is in force: nobody knows as long as no control plane answers")
                .noneMatch(line -> line.startsWith("ok    what authors"));
    }

    @Test
    void aFolderThatIsNotThereIsOneSentence() {
        assertThatThrownBy(() -> LocalMesh.read(state.resolve("nowhere")))
                .isInstanceOf(Failure.class)
                .hasMessageContaining("there is no such folder; name the control plane's state folder by --state");
    }

    @Test
    void aFolderWithoutAControlPlaneSaysHowToStartOne() {
        assertThat(LocalMesh.read(state).plane().trouble())
                .startsWith("no control plane runs on " + state + ": there is no " + state.resolve("control-plane.json")
                        + ", which `bodyguard run -f DIR --state " + state + "` writes while it runs. Services that are"
                        + " processes of their own");
    }
}
