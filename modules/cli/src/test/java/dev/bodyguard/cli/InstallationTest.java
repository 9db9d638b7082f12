package dev.bodyguard.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InstallationTest {
    @TempDir
    Path home;

    @TempDir
    Path java;

    @Test
    void takesWhatATrainingHasLeftOnlyByTheJdkThatWasTrained() throws IOException {
        var installation = new Installation(home, home);
        Files.writeString(java.resolve("release"), "JAVA_RUNTIME_VERSION=\"25.0.3+9-LTS\"\n");
        Files.createDirectory(home.resolve("trained"));
        Files.writeString(home.resolve("trained").resolve("sidecar.aot"), "cache");
        assertThat(installation.isTrained("sidecar", java)).isFalse();

        Files.copy(java.resolve("release"), home.resolve("trained").resolve("release"));
        assertThat(installation.isTrained("sidecar", java)).isTrue();
        assertThat(installation.isTrained("run", java)).isFalse();

        Files.writeString(java.resolve("release"), "JAVA_RUNTIME_VERSION=\"25.0.4+7-LTS\"\n");
        assertThat(installation.isTrained("sidecar", java)).isFalse();
    }
}
