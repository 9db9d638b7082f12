package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.telemetry.record.Exchange;
import dev.bodyguard.telemetry.record.Meters;
import dev.bodyguard.telemetry.record.Otlp;
import io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/// Tells the telemetry service what was counted and sampled, every two seconds, on a thread of its own.
///
/// It never holds up a request: spans wait in a queue that has an end, beyond which they are counted and forgotten;
/// counters are cumulative, so that a report that is lost costs none. A service that is gone is tried again ever less
/// often.
final class Telemetry implements Consumer<Exchange>, AutoCloseable {
    private static final int ROOM = 2_048;
    private static final int BATCH = 256;
    private static final Duration INTERVAL = Duration.ofSeconds(2);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(15);
    /// A service that was restarted learns everything again.
    private static final Duration EVERYTHING_EVERY = Duration.ofSeconds(10);

    private static final Duration FAREWELL = Duration.ofSeconds(1);

    /// The way to the service.
    interface Channel {
        /// Posts a body; returns the status of the answer.
        int post(String path, byte[] body) throws IOException, InterruptedException;
    }

    private final Otlp otlp;
    private final Meters meters;
    private final Channel channel;
    private final SidecarLog log;
    private final InstantSource clock;
    private final Queue<Exchange> waiting = PlatformDependent.newFixedMpscQueue(ROOM);
    private final List<Exchange> batch = new ArrayList<>();
    private final Meters.Counter sent;
    private final Meters.Counter dropped;
    private final Meters.Counter failures;
    private final Thread thread;
    private long everythingAt;
    private boolean everything = true;
    private volatile boolean reaches = true;
    private volatile boolean closed;

    Telemetry(Otlp otlp, Meters meters, Channel channel, SidecarLog log, InstantSource clock) {
        this.otlp = otlp;
        this.meters = meters;
        this.channel = channel;
        this.log = log;
        this.clock = clock;
        this.sent = meters.counters("bodyguard_telemetry_spans_sent_total", "Spans that the service has taken.")
                .with();
        this.dropped = meters.counters(
                        "bodyguard_telemetry_spans_dropped_total",
                        "Sampled spans that nobody will ever see, because the service was gone or too slow.")
                .with();
        this.failures = meters.counters(
                        "bodyguard_telemetry_reports_failed_total", "Reports that the service has not taken.")
                .with();
        this.thread = Thread.ofPlatform().name("telemetry").daemon(true).unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    /// From any event loop: neither blocks nor locks.
    @Override
    public void accept(Exchange exchange) {
        var trace = exchange.trace();
        if (trace == null || !trace.sampled()) {
            return;
        }
        if (!waiting.offer(exchange)) {
            dropped.increment();
        } else if (reaches && waiting.size() == ROOM / 2) {
            LockSupport.unpark(thread);
        }
    }

    private void run() {
        var pause = INTERVAL;
        try {
            while (!closed) {
                LockSupport.parkNanos(this, pause.toNanos());
                if (!closed) {
                    pause = report() ? INTERVAL : longer(pause);
                }
            }
            if (reaches) {
                report();
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private static Duration longer(Duration pause) {
        var twice = pause.multipliedBy(2);
        return twice.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : twice;
    }

    /// Once; false where the service could not be reached.
    boolean report() throws InterruptedException {
        long now = clock.millis();
        everything |= now - everythingAt >= EVERYTHING_EVERY.toMillis();
        var bodies = new ArrayList<byte[]>(1);
        otlp.metrics(meters, everything, now, bodies::add);
        for (var body : bodies) {
            if (!post("/v1/metrics", body, 0)) {
                everything = true;
                return false;
            }
        }
        if (everything) {
            everythingAt = now;
            everything = false;
        }
        // Not until none is left: while spans come as fast as they go, counters would not be told again.
        for (int left = batch.size() + waiting.size(); left > 0; ) {
            while (batch.size() < BATCH) {
                var next = waiting.poll();
                if (next == null) {
                    break;
                }
                batch.add(next);
            }
            left -= batch.size();
            if (!post("/v1/traces", otlp.spans(batch), batch.size())) {
                return false;
            }
            batch.clear();
        }
        return true;
    }

    /// False where it is worth another try.
    private boolean post(String path, byte[] body, int spans) throws InterruptedException {
        String why;
        boolean again = true;
        try {
            int status = channel.post(path, body);
            if (status == 200) {
                sent.add(spans);
                if (!reaches) {
                    reaches = true;
                    log.telemetryResumed();
                }
                return true;
            }
            why = path + " was answered with " + status;
            again = status == 429 || status >= 500;
        } catch (IOException unreachable) {
            why = String.valueOf(unreachable.getMessage());
        }
        failures.increment();
        if (reaches) {
            reaches = false;
            log.telemetryLost(why);
        }
        if (!again) {
            dropped.add(spans);
        }
        return !again;
    }

    /// What is left is told in one more report, if that takes no longer than a moment.
    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
        try {
            thread.join(FAREWELL.toMillis());
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
