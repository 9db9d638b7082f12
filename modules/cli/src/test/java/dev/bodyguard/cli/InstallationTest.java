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
    void takesWhatATrainingHasLeftOnlyByTheJdkAndWithTheJarsThatWereTrained() throws IOException {
        var installation = new Installation(home, home);
        var release = java.resolve("release");
        var jars = Files.createDirectory(home.resolve("conf")).resolve("jars.sha256");
        var origin = Files.createDirectory(home.resolve("trained")).resolve("origin");
        Files.writeString(home.resolve("trained").resolve("sidecar.aot"), "cache");
        Files.writeString(release, "JAVA_RUNTIME_VERSION=\"25.0.3+9-LTS\"\n");
        Files.writeString(jars, "1234\n");
        assertThat(installation.isTrained("sidecar", java)).isFalse();

        Files.writeString(origin, "JAVA_RUNTIME_VERSION=\"25.0.3+9-LTS\"\n1234\n");
        assertThat(installation.isTrained("sidecar", java)).isTrue();
        assertThat(installation.isTrained("run", java)).isFalse();

        Files.writeString(jars, "5678\n");
        assertThat(installation.isTrained("sidecar", java)).isFalse();

        Files.writeString(jars, "1234\n");
        Files.writeString(release, "JAVA_RUNTIME_VERSION=\"25.0.4+7-LTS\"\n");
        assertThat(installation.isTrained("sidecar", java)).isFalse();
    }
}
