package dev.bodyguard.proxy.sidecar;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Names to addresses, away from the event loops: the system's resolver blocks. It also caches, for half a minute.
final class Resolver implements AutoCloseable {
    private static final int THREADS = 4;
    private static final int WAITING = 256;

    private final ThreadPoolExecutor workers = new ThreadPoolExecutor(
            THREADS,
            THREADS,
            10,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(WAITING),
            Thread.ofPlatform().name("resolver-", 0).daemon(true).factory());

    Resolver() {
        workers.allowCoreThreadTimeOut(true);
    }

    /// What came of a question.
    sealed interface Answer {
        record Found(InetAddress address) implements Answer {}

        /// No address.
        ///
        /// @param sentence why
        record Missing(String sentence) implements Answer {}
    }

    /// Hears an answer, on a thread of the resolver's or the caller's.
    @FunctionalInterface
    interface Listener {
        void onAnswer(Answer answer);
    }

    void resolve(String host, Listener listener) {
        var literal = literal(host);
        if (literal != null) {
            listener.onAnswer(new Answer.Found(literal));
            return;
        }
        try {
            workers.execute(() -> listener.onAnswer(ask(host)));
        } catch (RejectedExecutionException _) {
            listener.onAnswer(new Answer.Missing("more than " + WAITING + " names wait to be resolved"));
        }
    }

    private static Answer ask(String host) {
        try {
            var addresses = InetAddress.getAllByName(host);
            return new Answer.Found(addresses[0]);
        } catch (UnknownHostException _) {
            return new Answer.Missing(
                    "the mesh has no HTTP service of this name and port, and DNS does not know " + host);
        }
    }

    /// An address that needs no asking; null for a name.
    static @Nullable InetAddress literal(String host) {
        if (host.isEmpty()
                || (Character.digit(host.charAt(0), 16) < 0 && host.charAt(0) != '[' && host.charAt(0) != ':')) {
            return null;
        }
        try {
            return InetAddress.ofLiteral(host);
        } catch (IllegalArgumentException _) {
            return null;
        }
    }

    @Override
    public void close() {
        workers.shutdownNow();
    }
}
