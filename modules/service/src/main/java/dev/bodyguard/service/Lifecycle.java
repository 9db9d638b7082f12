package dev.bodyguard.service;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import java.util.function.Supplier;

/// A process from its command line to its end: settings, objects, serve, wait, drain.
public final class Lifecycle {
    private Lifecycle() {}

    /// Makes a service out of its settings.
    @FunctionalInterface
    public interface Start<S> {
        /// Returns once it serves.
        ///
        /// @param running closes what is opened here when the process ends, or when this fails
        /// @return what is where, for the line that says it is ready
        /// @throws IOException with one sentence for people
        String start(S settings, Running running) throws IOException, InterruptedException;
    }

    /// Runs a service of the control plane as a process of its own, told what it needs by the environment.
    ///
    /// @param name as the launcher calls it
    public static <S> void service(String name, String usage, String[] args, Function<Keys, S> settings, Start<S> start)
            throws InterruptedException {
        run("bodyguard service " + name, usage, args, () -> settings.apply(new Keys(System.getenv())), start);
    }

    /// Returns only after `--help`. Ends the process with 0 after a signal, with 2 if it was told nonsense, with 1 if
    /// it cannot start.
    ///
    /// @param name as people call the process
    /// @param settings an `IllegalArgumentException` says what is wrong with them
    public static <S> void run(String name, String usage, String[] args, Supplier<S> settings, Start<S> start)
            throws InterruptedException {
        if (List.of(args).contains("--help") || List.of(args).contains("-h")) {
            System.out.println(usage);
            return;
        }
        S told;
        try {
            told = settings.get();
        } catch (IllegalArgumentException wrong) {
            System.err.println(name + ": " + wrong.getMessage());
            System.exit(2);
            return;
        }
        LineFormat.install();
        var running = new Running();
        String ready;
        try {
            ready = start.start(told, running);
        } catch (IOException failed) {
            running.close();
            System.err.println(name + ": " + failed.getMessage());
            System.exit(1);
            return;
        } catch (RuntimeException defect) {
            // Threads of what had started already must not keep a process alive that serves nobody.
            defect.printStackTrace();
            System.exit(1);
            return;
        }
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            running.close();
            System.err.println(name + ": ended");
            // A signal that was asked for is no failure: without this the JVM would answer 143 or 130.
            Runtime.getRuntime().halt(0);
        }));
        System.err.println(name + ": ready: " + ready);
        new CountDownLatch(1).await(); // the hook ends it
    }
}
