package dev.bodyguard.proxy.sidecar;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// The app, started beside its sidecar: our stdio, and a proxy address in its environment.
final class Child {
    private final Process process;

    private Child(Process process) {
        this.process = process;
    }

    static Child start(List<String> command, String outboundAddress) throws IOException {
        var builder = new ProcessBuilder(command).inheritIO();
        String proxy = "http://" + outboundAddress;
        for (String name : List.of("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")) {
            builder.environment().put(name, proxy);
        }
        // Whatever it exempts would go past the sidecar without anybody noticing.
        builder.environment().keySet().removeAll(List.of("NO_PROXY", "no_proxy"));
        return new Child(builder.start());
    }

    long pid() {
        return process.pid();
    }

    /// Waits for the app to end by itself; its exit code, or 128 + the signal that ended it.
    int await() throws InterruptedException {
        return process.waitFor();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /// SIGTERM.
    void askToEnd() {
        process.destroy();
    }

    /// Waits for it to end, and sends SIGKILL to one that has not within so long.
    ///
    /// @return whether it had to
    boolean end(Duration atMost) {
        boolean ended = false;
        try {
            ended = process.waitFor(Math.max(atMost.toNanos(), 0), TimeUnit.NANOSECONDS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        if (!ended) {
            process.destroyForcibly();
        }
        return !ended;
    }
}
