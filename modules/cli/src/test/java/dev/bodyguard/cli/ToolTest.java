package dev.bodyguard.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ToolTest {
    private final ByteArrayOutputStream shown = new ByteArrayOutputStream();
    private final PrintStream err = new PrintStream(shown, true, StandardCharsets.UTF_8);

    @Test
    void isTheFirstExecutableOfItsName(@TempDir Path folder) throws Exception {
        Files.writeString(folder.resolve("kubectl"), "not to be executed");
        var helm = Files.createFile(
                folder.resolve("helm"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));

        assertThat(Tool.HELM.path("::/nonexistent:" + folder)).contains(helm);
        assertThat(Tool.KUBECTL.path(folder.toString())).isEmpty();
    }

    @Test
    void tellsOnceWhatHelmWaitsFor() {
        var rollout = new Rollout(err, false);
        rollout.step("installing the control plane");
        rollout.heard("client.go:142: [debug] creating 40 resource(s)");
        rollout.heard(
                "wait.go:104: [debug] Deployment is not ready: bodyguard-system/bodyguard-config. 0 out of 1 expected"
                        + " pods are ready");
        rollout.heard("ready.go:303: 2026-11-27 00:12:01 +0000 UTC [debug] Deployment is not ready:"
                + " bodyguard-system/bodyguard-config. 0 out of 1 expected pods are ready");
        rollout.done("the mesh is ready");

        assertThat(shown.toString(StandardCharsets.UTF_8).lines())
                .containsExactly(
                        "bodyguard: installing the control plane",
                        "bodyguard: waiting for bodyguard-config (0 of 1 ready)",
                        "bodyguard: the mesh is ready after 0 s");
    }

    @Test
    void aTerminalHasOneLineThatIsWrittenAnew() {
        var rollout = new Rollout(err, true);
        rollout.step("removing the kinds");
        rollout.done("the mesh is gone");

        assertThat(shown.toString(StandardCharsets.UTF_8))
                .isEqualTo("\r\u001b[Kbodyguard: removing the kinds, 0 s\r\u001b[Kbodyguard: the mesh is gone after 0 s"
                        + System.lineSeparator());
    }
}
