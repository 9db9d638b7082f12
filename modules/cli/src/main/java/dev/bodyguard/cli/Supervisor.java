package dev.bodyguard.cli;

import dev.bodyguard.machine.LoopbackPort;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Owns the processes: starts them, starts again whichever died, and ends them all. Once it is stopping it starts
/// nothing, so whoever is stopped leaves no process behind.
final class Supervisor implements AutoCloseable {
    /// A sidecar drains for less ({@code Workload.DRAIN_TIME}).
    private static final Duration GRACE = Duration.ofSeconds(7);
    private static final int TAIL = 12;

    /// A terminal's Ctrl-C goes to every process of its group. Only we are to hear it, and then end the others in
    /// order.
    private static final List<String> OUT_OF_THE_TERMINAL = Stream.of("/usr/bin/setsid", "/bin/setsid")
            .filter(program -> Files.isExecutable(Path.of(program)))
            .limit(1)
            .toList();

    /// What happens to the processes after their first start.
    interface Events {
        void ended(String name, int status, Duration restartAfter);

        void restarted(String name, long pid);

        void notRestarted(String name, String why);
    }

    private final Duration restartAfter;
    private final Events events;
    private final Map<String, Process> processes = new LinkedHashMap<>();
    private final Map<String, Launch> launches = new LinkedHashMap<>();
    private final ScheduledExecutorService restarts = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("supervisor").factory());
    private boolean stopping;

    Supervisor(Duration restartAfter, Events events) {
        this.restartAfter = restartAfter;
        this.events = events;
    }

    /// Starts a process and keeps it running from now on.
    synchronized Process start(Launch launch) {
        if (stopping) {
            throw new Failure("stopped before everything had started");
        }
        for (int port : launch.ports()) {
            if (!LoopbackPort.isFree(port)) {
                throw new Failure(
                        launch.name() + ": port 127.0.0.1:" + port + " is in use by " + LoopbackPort.holder(port));
            }
        }
        var process = spawn(launch);
        launches.put(launch.name(), launch);
        processes.put(launch.name(), process);
        var _ = process.onExit().thenAccept(ended -> ended(launch, ended));
        return process;
    }

    private static Process spawn(Launch launch) {
        var command = new ArrayList<>(OUT_OF_THE_TERMINAL);
        command.addAll(launch.command());
        var builder = new ProcessBuilder(command)
                .redirectInput(new File("/dev/null"))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(launch.log().toFile()));
        // Ours is a mesh of its own: it follows no proxy that this terminal was told to use.
        builder.environment()
                .keySet()
                .removeIf(name -> name.toLowerCase(Locale.ROOT).endsWith("_proxy"));
        builder.environment().put("MALLOC_ARENA_MAX", "1");
        builder.environment().putAll(launch.environment());
        try {
            return builder.start();
        } catch (IOException cannot) {
            throw new Failure(launch.name() + " did not start: " + cannot.getMessage());
        }
    }

    private synchronized void ended(Launch launch, Process process) {
        if (stopping || !process.equals(processes.get(launch.name()))) {
            return;
        }
        events.ended(launch.name(), process.exitValue(), restartAfter);
        restartLater(launch);
    }

    private void restartLater(Launch launch) {
        try {
            var _ = restarts.schedule(() -> restart(launch), restartAfter.toMillis(), TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException _) {
            // Stopping.
        }
    }

    private synchronized void restart(Launch launch) {
        if (stopping) {
            return;
        }
        try {
            events.restarted(launch.name(), start(launch).pid());
        } catch (Failure cannot) {
            events.notRestarted(launch.name(), String.valueOf(cannot.getMessage()));
            restartLater(launch);
        }
    }

    /// The process that runs under this name now, or ran last.
    synchronized Process process(String name) {
        var process = processes.get(name);
        if (process == null) {
            throw new IllegalArgumentException("nothing was started as " + name);
        }
        return process;
    }

    /// Fails with the end of its log if a process that should be starting has died.
    synchronized void checkAlive(Collection<String> names) {
        for (var name : names) {
            var process = processes.get(name);
            var launch = launches.get(name);
            if (process != null && launch != null && !process.isAlive()) {
                throw new Failure(name + " ended with status " + process.exitValue() + " while it started. The end of "
                        + launch.log() + ":" + System.lineSeparator() + tail(launch.log()));
            }
        }
    }

    static String tail(Path log) {
        try {
            var lines = Files.readAllLines(log);
            return "  "
                    + String.join(
                            System.lineSeparator() + "  ",
                            lines.subList(Math.max(0, lines.size() - TAIL), lines.size()));
        } catch (IOException unreadable) {
            return "  (cannot be read: " + unreadable.getMessage() + ")";
        }
    }

    /// Ends all processes: those started first, whom the others need, last.
    void stop(@Nullable String last) {
        List<Process> first;
        Process lastly;
        synchronized (this) {
            stopping = true;
            restarts.shutdownNow();
            lastly = last == null ? null : processes.remove(last);
            first = new ArrayList<>(processes.values());
        }
        end(first);
        if (lastly != null) {
            end(List.of(lastly));
        }
    }

    @Override
    public void close() {
        stop(null);
    }

    private static void end(List<Process> ending) {
        ending.forEach(Process::destroy);
        long deadline = System.nanoTime() + GRACE.toNanos();
        boolean interrupted = false;
        for (var process : ending) {
            while (process.isAlive()) {
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    process.destroyForcibly();
                }
                try {
                    var _ = process.waitFor(Math.max(left, TimeUnit.SECONDS.toNanos(1)), TimeUnit.NANOSECONDS);
                } catch (InterruptedException _) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
