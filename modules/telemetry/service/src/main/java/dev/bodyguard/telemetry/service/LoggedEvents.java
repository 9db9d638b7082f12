package dev.bodyguard.telemetry.service;

import dev.bodyguard.tracing.Moments;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// Each event as a line, what peers can cause at will once in ten seconds; and `telemetry.export`, a span for each
/// batch
/// that was handed on or refused.
public final class LoggedEvents implements Events {
    private static final long BETWEEN_REFUSALS = Duration.ofSeconds(10).toNanos();

    private final Logger log;
    private final Tracer tracer;
    private final AtomicLong nextRefusal = new AtomicLong(System.nanoTime());

    public LoggedEvents(Logger log, Tracer tracer) {
        this.log = log;
        this.tracer = tracer;
    }

    @Override
    public void refused(String peer, String why) {
        long due = nextRefusal.get();
        long now = System.nanoTime();
        if (now - due >= 0 && nextRefusal.compareAndSet(due, now + BETWEEN_REFUSALS)) {
            log.log(Level.WARNING, "a report of " + peer + " was not taken: " + why);
        }
    }

    @Override
    public void exportFailed(String target, String why, Duration retryIn) {
        log.log(
                Level.WARNING,
                "spans do not reach " + target + ": " + why + "; next try in " + retryIn.toMillis() + " ms");
    }

    @Override
    public void exported(String target, int spans, Duration took) {
        export(target, spans, took).end();
    }

    private Span export(String target, int spans, Duration took) {
        return tracer.spanBuilder("telemetry.export")
                .setNoParent()
                .setSpanKind(SpanKind.CLIENT)
                .setStartTimestamp(Moments.now().of(System.nanoTime() - took.toNanos()), TimeUnit.NANOSECONDS)
                .setAttribute("bodyguard.export.target", target)
                .setAttribute("bodyguard.export.spans", spans)
                .startSpan();
    }

    @Override
    public void exportRefused(String target, String why, int spans, Duration took) {
        export(target, spans, took).setStatus(StatusCode.ERROR, why).end();
        log.log(Level.WARNING, spans + " spans were refused by " + target + ": " + why);
    }

    @Override
    public void exportResumed(String target) {
        log.log(Level.INFO, "spans reach " + target + " again");
    }
}
