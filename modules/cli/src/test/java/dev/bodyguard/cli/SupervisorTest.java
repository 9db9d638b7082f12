package dev.bodyguard.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class SupervisorTest {
    @TempDir
    private Path folder;

    private final BlockingQueue<String> events = new LinkedBlockingQueue<>();

    private Supervisor supervisor(Duration restartAfter) {
        return new Supervisor(restartAfter, new Supervisor.Events() {
            @Override
            public void ended(String name, int status, Duration after) {
                events.add(name + " ended");
            }

            @Override
            public void restarted(String name, long pid) {
                events.add(name + " restarted");
            }

            @Override
            public void notRestarted(String name, String why) {
                events.add(why);
            }
        });
    }

    private Launch launch(String name, String script, Integer... ports) {
        return new Launch(
                name, List.of("sh", "-c", script), Map.of("WHO", name), List.of(ports), folder.resolve(name + ".log"));
    }

    private String next() throws InterruptedException {
        var event = events.poll(30, TimeUnit.SECONDS);
        assertThat(event).isNotNull();
        return String.valueOf(event);
    }

    private void awaitInLog(String text) throws IOException {
        while (!Files.readString(folder.resolve("app.log")).equals(text)) {
            Thread.onSpinWait();
        }
    }

    @Test
    void startsAgainWhatDiedAndAppendsToItsLog() throws Exception {
        try (var supervisor = supervisor(Duration.ofMillis(10))) {
            var first = supervisor.start(launch("app", "echo $WHO; exec sleep 600"));
            awaitInLog("app\n");
            first.destroyForcibly();

            assertThat(List.of(next(), next())).containsExactly("app ended", "app restarted");
            assertThat(supervisor.process("app").pid()).isNotEqualTo(first.pid());
            assertThat(supervisor.process("app").isAlive()).isTrue();
            awaitInLog("app\napp\n");
        }
    }

    @Test
    void endsAllAndStartsNothingMore() {
        var supervisor = supervisor(Duration.ZERO);
        var gentle = supervisor.start(launch("gentle", "exec sleep 600"));
        var needed = supervisor.start(launch("needed", "exec sleep 600"));

        supervisor.stop("needed");

        assertThat(List.of(gentle, needed)).noneMatch(Process::isAlive);
        assertThat(events).isEmpty();
        assertThatThrownBy(() -> supervisor.start(launch("late", "exec sleep 600")))
                .isInstanceOf(Failure.class);
    }

    @Test
    void saysWithTheEndOfItsLogWhatDiedAtItsStart() throws Exception {
        try (var supervisor = supervisor(Duration.ofHours(1))) {
            supervisor
                    .start(launch("broken", "echo the key is unreadable >&2; exit 3"))
                    .waitFor();

            assertThatThrownBy(() -> supervisor.checkAlive(List.of("broken")))
                    .isInstanceOf(Failure.class)
                    .hasMessageContaining("broken ended with status 3")
                    .hasMessageContaining("the key is unreadable");
        }
    }

    @Test
    void namesThePortThatIsInUseAndItsOwner() throws IOException {
        try (var owner = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                var supervisor = supervisor(Duration.ZERO)) {
            int port = owner.getLocalPort();

            assertThatThrownBy(() -> supervisor.start(launch("app", "exec sleep 600", port)))
                    .isInstanceOf(Failure.class)
                    .hasMessageStartingWith("app: port 127.0.0.1:" + port + " is in use by pid "
                            + ProcessHandle.current().pid() + " (");
        }
    }

    @Test
    void keepsTryingWhileAnotherProcessSitsOnThePort() throws Exception {
        try (var supervisor = supervisor(Duration.ofMillis(20))) {
            int port = new Ports(new Random(7)).next();
            var app = supervisor.start(launch("app", "exec sleep 600", port));
            try (var squatter = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                app.destroyForcibly();

                assertThat(next()).isEqualTo("app ended");
                assertThat(next()).contains("port 127.0.0.1:" + squatter.getLocalPort() + " is in use");
            }
            while (!next().equals("app restarted")) {
                // It may have tried again before the port was free.
            }
        }
    }

    @Test
    void givesNoChildTheProxyOfItsOwnTerminal() throws Exception {
        try (var supervisor = supervisor(Duration.ofHours(1))) {
            supervisor.start(launch("app", "env")).waitFor();
        }

        assertThat(Files.readString(folder.resolve("app.log")).lines())
                .contains("WHO=app", "MALLOC_ARENA_MAX=1")
                .noneMatch(line -> line.toLowerCase(Locale.ROOT).contains("_proxy="));
    }
}
