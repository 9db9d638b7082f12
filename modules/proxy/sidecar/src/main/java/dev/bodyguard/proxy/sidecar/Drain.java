package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.wire.Listener;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Leaves without anybody noticing: out of discovery first, so that nothing new comes; then what is under way ends.
final class Drain implements Runnable {
    private static final Duration TO_BE_FORGOTTEN = Duration.ofSeconds(2);
    private static final Duration TO_FINISH = Duration.ofSeconds(5);

    private final Readiness readiness;
    private final Registration registration;
    private final List<Listener> listeners;
    private final SidecarLog log;
    private boolean done;

    Drain(Readiness readiness, Registration registration, List<Listener> listeners, SidecarLog log) {
        this.readiness = readiness;
        this.registration = registration;
        this.listeners = listeners;
        this.log = log;
    }

    /// Once; whoever comes second waits for the first.
    @Override
    public synchronized void run() {
        if (done) {
            return;
        }
        done = true;
        readiness.drain();
        log.farewell("draining");
        try {
            registration.drain(TO_BE_FORGOTTEN);
            var ends = listeners.stream()
                    .map(listener -> listener.drain(TO_FINISH).toCompletableFuture())
                    .toArray(CompletableFuture<?>[]::new);
            CompletableFuture.allOf(ends).get(TO_FINISH.toMillis() + 1_000, TimeUnit.MILLISECONDS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException _) {
            log.farewell("drained with exchanges still under way");
        }
    }
}
