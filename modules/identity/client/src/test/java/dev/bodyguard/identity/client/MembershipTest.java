package dev.bodyguard.identity.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bodyguard.identity.authority.Authority;
import dev.bodyguard.identity.authority.RootFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.ResourceBundle;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MembershipTest {
    @TempDir
    private Path folder;

    @Test
    void joinsByTheFilesOfAClusterOrByTheStateFolder() {
        assertThat(told(Map.of("BODYGUARD_STATE", "/state")))
                .isEqualTo(new Membership(
                        new Proof.InState(Path.of("/state")), Path.of("/state"), "127.0.0.1:15013", "cluster.local"));
        assertThat(told(Map.of(
                        "BODYGUARD_STATE", "/state", "BODYGUARD_TOKEN", "/token", "BODYGUARD_ROOT", "/root.pem")))
                .extracting(Membership::proof)
                .isEqualTo(new Proof.InFiles(Path.of("/token"), Path.of("/root.pem")));
        assertThatThrownBy(() -> told(Map.of("BODYGUARD_STATE", "/state", "BODYGUARD_TOKEN", "/token")))
                .hasMessage("BODYGUARD_ROOT is not set: whoever joins by a Kubernetes token names the token's file and"
                        + " that of the roots");
        assertThatThrownBy(() -> told(Map.of())).hasMessageStartingWith("BODYGUARD_STATE is not set");
    }

    @Test
    void readsTheTokenAnewAndUpToItsLongest() throws Exception {
        var file = folder.resolve("token");
        var token = new Proof.InFiles(file, folder.resolve("root.pem")).token("config");

        Files.writeString(file, "a".repeat(16 << 10) + "\n");
        assertThat(token.read().text()).hasSize(16 << 10);
        Files.writeString(file, "second");
        assertThat(token.read().text()).isEqualTo("second");
        Files.writeString(file, "a".repeat((16 << 10) + 2));
        assertThatThrownBy(token::read).hasMessageContaining("more than 16384 bytes");
    }

    @Test
    void waitsForTheRootsThatIdentityWrites() throws Exception {
        var roots = Authority.open(
                        "cluster.local",
                        new RootFolder(folder.resolve("authority")),
                        Authority.Lifetimes.DAY,
                        _ -> {},
                        InstantSource.system(),
                        new SecureRandom())
                .bundle();
        var file = folder.resolve("root.pem");
        var waiting = new CompletableFuture<String>();
        Callable<Object> read =
                () -> new Proof.InFiles(folder.resolve("token"), file).roots("cluster.local", new Told(waiting));
        var task = new FutureTask<>(read);
        var thread = Thread.ofVirtual().start(task);

        assertThat(waiting.get(20, TimeUnit.SECONDS))
                .isEqualTo("waiting for the mesh's roots in " + file + ", 60 s at most");
        roots.write(file);

        assertThat(task.get(20, TimeUnit.SECONDS)).isEqualTo(roots);
        assertThat(thread.join(Duration.ofSeconds(20))).isTrue();
    }

    private static Membership told(Map<String, String> environment) {
        return Membership.from(environment::getOrDefault);
    }

    private record Told(CompletableFuture<String> first) implements System.Logger {
        @Override
        public String getName() {
            return "test";
        }

        @Override
        public boolean isLoggable(Level level) {
            return true;
        }

        @Override
        public void log(Level level, @Nullable ResourceBundle bundle, String message, Throwable thrown) {
            first.complete(message);
        }

        @Override
        public void log(Level level, @Nullable ResourceBundle bundle, String format, Object... parameters) {
            first.complete(format);
        }
    }
}
