package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bodyguard.identity.spiffe.JoinKey;
import dev.bodyguard.identity.spiffe.JoinToken;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StateFolderTest {
    @TempDir
    Path root;

    @Test
    void findsTheControlPlane() throws IOException {
        var state = new StateFolder(root);
        assertThat(state.controlPlane()).isEmpty();

        Files.writeString(root.resolve("control-plane.json"), """
            {"pid": 7, "identity": "127.0.0.1:15013", "xds": "127.0.0.1:15012",
             "discovery": "127.0.0.1:15014", "telemetry": "127.0.0.1:15016", "admin": "127.0.0.1:15019"}
            """);

        assertThat(state.controlPlane())
                .hasValueSatisfying(found -> assertThat(found.xds()).isEqualTo("127.0.0.1:15012"));
    }

    @Test
    void mintsAMissingTokenForItselfOnly() throws IOException {
        JoinKey.openOrCreate(root.resolve("join.key"), new SecureRandom());
        var state = new StateFolder(root);

        JoinToken token = state.joinToken("default", "payment-service");

        assertThat(token.text()).startsWith("bg1.ZGVmYXVsdC9wYXltZW50LXNlcnZpY2U.");
        Path file = root.resolve("join/payment-service.token");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThat(state.joinToken("default", "payment-service")).isEqualTo(token);
    }

    @Test
    void takesTheTokenItWasGiven() throws IOException {
        Files.createDirectories(root.resolve("join"));
        Files.writeString(root.resolve("join/checkout.token"), "bg1.ZGVmYXVsdC9jaGVja291dA.signature\n");

        assertThat(new StateFolder(root).joinToken("default", "checkout").text())
                .isEqualTo("bg1.ZGVmYXVsdC9jaGVja291dA.signature");
    }

    @Test
    void saysWhatToStartWhereNothingLetsItJoin() {
        assertThatThrownBy(() -> new StateFolder(root).joinToken("default", "checkout"))
                .hasMessageContaining("bodyguard run --state");
    }

    @Test
    void findsTheAppAFormerSidecarLeftBehind() throws Exception {
        var app = new ProcessBuilder("sleep", "60").start();
        var former = new ProcessBuilder("true").start();
        former.waitFor();
        try {
            new StateFolder(root)
                    .announce("app-1", new StateFolder.Running(former.pid(), app.pid(), "o", "i", "a", "s"));

            // Our own child is not an orphan: somebody in this very process looks after it.
            assertThat(new StateFolder(root).orphan("app-1")).isEmpty();
        } finally {
            app.destroyForcibly();
        }
    }

    @Test
    void announcesTheSidecarThatHasTheName() throws Exception {
        var other = new ProcessBuilder("sleep", "60").start();
        try {
            var state = new StateFolder(root);
            // A process begins at a whole moment of the kernel's clock, so it may seem to begin now.
            TestSidecar.eventually("the other one is announced", () -> {
                announce(state, other.pid());
                return state.otherSidecar("app-1").equals(Optional.of(other.pid()));
            });
            var announcement = new Announcement(state, "app-1");

            announcement.make(running(ProcessHandle.current().pid()));
            assertThat(announcement.other()).contains(other.pid());

            other.destroyForcibly().waitFor();
            announcement.confirm();
            assertThat(root.resolve("sidecars/app-1/sidecar.json"))
                    .content()
                    .contains("\"pid\":" + ProcessHandle.current().pid() + ",");
        } finally {
            other.destroyForcibly();
        }
    }

    @Test
    void announcesASidecarInThePlaceOfOneThatHasEnded() throws Exception {
        var ended = new ProcessBuilder("true").start();
        ended.waitFor();
        var state = new StateFolder(root);
        announce(state, ended.pid());

        new Announcement(state, "app-1").make(running(ProcessHandle.current().pid()));

        assertThat(root.resolve("sidecars/app-1/sidecar.json"))
                .content()
                .contains("\"pid\":" + ProcessHandle.current().pid() + ",");
    }

    @Test
    void refusesANameThatRunsAsAnotherServiceAccount() throws Exception {
        var other = new ProcessBuilder("sleep", "60").start();
        try {
            var state = new StateFolder(root);
            TestSidecar.eventually("the other one is announced", () -> {
                announce(state, other.pid(), "spiffe://cluster.local/ns/default/sa/refunds");
                return state.otherSidecar("app-1").isPresent();
            });

            state.requireFree("app-1", "default", "refunds");
            assertThatThrownBy(() -> state.requireFree("app-1", "default", "pay"))
                    .isInstanceOf(IOException.class)
                    .hasMessage("the name app-1 is taken: pid " + other.pid()
                            + " runs under it as spiffe://cluster.local/ns/default/sa/refunds; end that one, or choose"
                            + " another --name");

            other.destroyForcibly().waitFor();
            state.requireFree("app-1", "default", "pay");
        } finally {
            other.destroyForcibly();
        }
    }

    private static void announce(StateFolder state, long pid) {
        announce(state, pid, "s");
    }

    private static void announce(StateFolder state, long pid, String spiffeId) {
        try {
            state.announce("app-1", running(pid, spiffeId));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static StateFolder.Running running(long pid) {
        return running(pid, "s");
    }

    private static StateFolder.Running running(long pid, String spiffeId) {
        return new StateFolder.Running(pid, 0, "o", "i", "a", spiffeId);
    }
}
