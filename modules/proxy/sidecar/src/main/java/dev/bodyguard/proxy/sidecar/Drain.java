package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.wire.Listener;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Leaves without anybody noticing: its callers hear of it first, so that nothing new comes; then what is under
/// way ends; and as long as the app has something to answer, it may call others. What one part does not need the next
/// one has.
final class Drain implements Runnable {
    /// For event loops that have more to do than to close connections.
    private static final Duration LATE = Duration.ofMillis(250);

    private final Readiness readiness;
    private final Farewell farewell;
    private final Listener inbound;
    private final Listener outbound;
    private final Times times;
    private final SidecarLog log;
    private boolean done;

    /// When each part is over at last, all counted from the beginning of the drain.
    ///
    /// @param told every caller has heard of it
    /// @param answered the app has answered what it was asked
    /// @param called the app has its answers of others
    record Times(Duration told, Duration answered, Duration called) {
        /// For a sidecar that is to be gone after so long: a quarter of it is left to the app's own end, and to ours.
        static Times within(Duration all) {
            var eighth = all.dividedBy(8);
            return new Times(eighth.multipliedBy(2), eighth.multipliedBy(5), eighth.multipliedBy(6));
        }
    }

    /// Waits until no caller picks this one any more, or for as long as that takes at most.
    @FunctionalInterface
    interface Farewell {
        void say(Duration atMost) throws InterruptedException;
    }

    Drain(Readiness readiness, Farewell farewell, Listener inbound, Listener outbound, Times times, SidecarLog log) {
        this.readiness = readiness;
        this.farewell = farewell;
        this.inbound = inbound;
        this.outbound = outbound;
        this.times = times;
        this.log = log;
    }

    /// Once; whoever comes second waits for the first.
    @Override
    public synchronized void run() {
        if (done) {
            return;
        }
        done = true;
        long began = System.nanoTime();
        readiness.drain();
        log.farewell("draining");
        try {
            farewell.say(times.told());
            finish("from callers", inbound, left(times.answered(), began));
            finish("of the app", outbound, left(times.called(), began));
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private static Duration left(Duration until, long began) {
        var left = until.minusNanos(System.nanoTime() - began);
        return left.isNegative() ? Duration.ZERO : left;
    }

    private void finish(String whose, Listener listener, Duration atMost) throws InterruptedException {
        try {
            int cut = listener.drain(atMost)
                    .toCompletableFuture()
                    .get(atMost.plus(LATE).toMillis(), TimeUnit.MILLISECONDS);
            if (cut > 0) {
                log.farewell("cut off " + (cut == 1 ? "a connection " : cut + " connections ") + whose
                        + " with something still under way, after " + atMost.toMillis() + " ms");
            }
        } catch (ExecutionException | TimeoutException _) {
            log.farewell(
                    "left connections " + whose + " behind: they were not closed within " + atMost.toMillis() + " ms");
        }
    }
}
