package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.wire.Listener;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Leaves a pod without anybody noticing. Its callers hear of it a moment later than the pod, so whoever comes
/// meanwhile
/// is let in; then what is under way ends; and the app may call others to the last, which it does not outlive a native
/// sidecar for. All of it is over within the usual grace period of 30 s.
final class PodDrain implements Runnable {
    /// Until the endpoint is gone from everybody's plan.
    private static final Duration TO_BE_FORGOTTEN = Duration.ofSeconds(2);

    private static final Duration TO_FINISH = Duration.ofSeconds(18);
    private static final Duration FOR_THE_APPS_OWN_CALLS = Duration.ofSeconds(5);

    private final Readiness readiness;
    private final Listener inbound;
    private final Listener outbound;
    private final SidecarLog log;
    private boolean done;

    PodDrain(Readiness readiness, Listener inbound, Listener outbound, SidecarLog log) {
        this.readiness = readiness;
        this.inbound = inbound;
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
            if (inbound.connections() > 0) {
                TimeUnit.NANOSECONDS.timedWait(this, TO_BE_FORGOTTEN.toNanos());
            }
            finish(inbound, TO_FINISH);
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
