package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.wire.Listener;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Leaves without anybody noticing: its callers hear of it first, so that nothing new comes; then what is under
/// way ends; and as long as the app has something to answer, it may call others.
final class Drain implements Runnable {
    private static final Duration FOR_THE_APPS_OWN_CALLS = Duration.ofSeconds(5);

    private final Readiness readiness;
    private final Farewell farewell;
    private final Listener inbound;
    private final Duration toFinish;
    private final Listener outbound;
    private final SidecarLog log;
    private boolean done;

    /// Waits until no caller picks this one any more, or for as long as that takes at most.
    @FunctionalInterface
    interface Farewell {
        void say() throws InterruptedException;
    }

    /// @param toFinish what the app has to answer, at most
    Drain(
            Readiness readiness,
            Farewell farewell,
            Listener inbound,
            Duration toFinish,
            Listener outbound,
            SidecarLog log) {
        this.readiness = readiness;
        this.farewell = farewell;
        this.inbound = inbound;
        this.toFinish = toFinish;
        this.outbound = outbound;
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
            farewell.say();
            finish(inbound, toFinish);
            finish(outbound, FOR_THE_APPS_OWN_CALLS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void finish(Listener listener, Duration atMost) throws InterruptedException {
        try {
            listener.drain(atMost).toCompletableFuture().get(atMost.toMillis() + 1_000, TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException _) {
            log.farewell("drained with exchanges still under way");
        }
    }
}
