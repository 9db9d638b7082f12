package dev.bodyguard.injector.service;

import dev.bodyguard.tracing.Moments;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.Tracer;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/// Events as lines, counters and spans: `injector.review` is a pod, or what makes pods, that was decided on.
final class LoggedEvents implements Events {
    private final Logger log;
    private final MeterRegistry metrics;
    private final Tracer tracer;

    LoggedEvents(Logger log, MeterRegistry metrics, Tracer tracer) {
        this.log = log;
        this.metrics = metrics;
        this.tracer = tracer;
        for (String result : new String[] {
            "injected",
            "already",
            "another_revision",
            "not_asked",
            "refused",
            "not_a_pod",
            "warned",
            "nothing_to_say",
            "failed"
        }) {
            var _ = counter(result);
        }
    }

    private Counter counter(String result) {
        return Counter.builder("bodyguard.injector.admissions")
                .description("Questions of the API server, by answer.")
                .tag("result", result)
                .register(metrics);
    }

    @Override
    public void decided(String object, Admission.Verdict verdict, Duration took) {
        counter(verdict.result()).increment();
        long now = System.nanoTime();
        var moments = Moments.now();
        tracer.spanBuilder("injector.review")
                .setNoParent()
                .setSpanKind(SpanKind.SERVER)
                .setStartTimestamp(moments.of(now - took.toNanos()), TimeUnit.NANOSECONDS)
                .setAttribute("bodyguard.pod", object)
                .setAttribute("bodyguard.injection", verdict.result())
                .startSpan()
                .end(moments.of(now), TimeUnit.NANOSECONDS);
        switch (verdict) {
            case Admission.Patched(var warnings) ->
                log.log(
                        Level.INFO,
                        object + " gets a sidecar" + (warnings.isEmpty() ? "" : "; " + String.join("; ", warnings)));
            case Admission.Denied(var why) -> log.log(Level.WARNING, object + " is refused: " + why);
            // Whoever wrote it has read it.
            case Admission.Untouched _, Admission.Advised _ -> {}
        }
    }

    @Override
    public void failed(String who, String why) {
        counter("failed").increment();
        log.log(Level.WARNING, who + ": " + why);
    }

    @Override
    public void authorityWritten(String configuration) {
        log.log(Level.INFO, "the API server knows the webhooks of " + configuration + " by the mesh's roots");
    }

    @Override
    public void authorityNotWritten(String configuration, String why) {
        log.log(Level.WARNING, "the API server does not know the webhooks of " + configuration + ": " + why);
    }
}
