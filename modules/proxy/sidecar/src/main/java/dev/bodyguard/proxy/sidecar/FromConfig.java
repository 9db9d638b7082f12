package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.Resources;
import dev.bodyguard.xds.client.Applied;
import dev.bodyguard.xds.client.Events;
import dev.bodyguard.xds.client.Sink;
import io.envoyproxy.envoy.service.discovery.v3.Resource;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// What comes on the configuration stream, on its way to the memory and the log; and whether anything came at all,
/// for which a sidecar with a remembered plan waits before it lets anybody in: a rule that denies may have been written
/// meanwhile.
final class FromConfig implements Sink, Events {
    /// What became of the wait.
    enum Word {
        /// The listeners that config has now are in force.
        SPOKEN,
        /// Nobody can be asked.
        UNREACHABLE,
        /// Not lost, but nothing said in time.
        SILENT
    }

    private final Sink memory;
    private final Runnable lost;
    private final Events log;
    // Guarded by this.
    private Word word = Word.SILENT;

    /// @param lost told each time that config cannot be reached, or not any more
    FromConfig(Sink memory, Runnable lost, Events log) {
        this.memory = memory;
        this.lost = lost;
        this.log = log;
    }

    @Override
    public Applied apply(String type, List<Resource> updated, List<String> removed) {
        var applied = memory.apply(type, updated, removed);
        if (type.equals(Resources.LISTENER)) {
            heard(Word.SPOKEN);
        }
        return applied;
    }

    @Override
    public void connected() {
        log.connected();
    }

    @Override
    public void lost(String why, Duration retryIn) {
        heard(Word.UNREACHABLE);
        lost.run();
        log.lost(why, retryIn);
    }

    @Override
    public void nacked(String typeUrl, Map<String, String> rejected) {
        log.nacked(typeUrl, rejected);
    }

    private synchronized void heard(Word first) {
        if (word == Word.SILENT) {
            word = first;
            notifyAll();
        }
    }

    /// Blocks until config has spoken, cannot be reached, or long enough.
    synchronized Word await(Duration atMost) throws InterruptedException {
        long until = System.nanoTime() + atMost.toNanos();
        while (word == Word.SILENT) {
            long left = until - System.nanoTime();
            if (left <= 0) {
                break;
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
        return word;
    }
}
