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
        Files.writeString(home.resolve("sidecar.aot"), "cache");
        assertThat(installation.isTrained(java)).isFalse();

        Files.copy(java.resolve("release"), home.resolve("sidecar.aot.jdk"));
        assertThat(installation.isTrained(java)).isTrue();

        Files.writeString(java.resolve("release"), "JAVA_RUNTIME_VERSION=\"25.0.4+7-LTS\"\n");
        assertThat(installation.isTrained(java)).isFalse();
    }
}
