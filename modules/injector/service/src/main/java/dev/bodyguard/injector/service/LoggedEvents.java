package dev.bodyguard.injector.service;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;

/// Events as lines and counters.
final class LoggedEvents implements Events {
    private final Logger log;
    private final MeterRegistry metrics;
    /// Only the thread that writes it tells of it.
    private String lastTrouble = "";

    LoggedEvents(Logger log, MeterRegistry metrics) {
        this.log = log;
        this.metrics = metrics;
        for (String result : new String[] {"injected", "already", "not_asked", "refused", "not_a_pod", "failed"}) {
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
    public void decided(String pod, Admission.Verdict verdict) {
        counter(verdict.result()).increment();
        switch (verdict) {
            case Admission.Patched(var warnings) ->
                log.log(
                        Level.INFO,
                        pod + " gets a sidecar" + (warnings.isEmpty() ? "" : "; " + String.join("; ", warnings)));
            case Admission.Denied(var why) -> log.log(Level.WARNING, pod + " is refused: " + why);
            case Admission.Untouched _ -> {}
        }
    }

    @Override
    public void failed(String who, String why) {
        counter("failed").increment();
        log.log(Level.WARNING, who + ": " + why);
    }

    @Override
    public void authorityWritten(String webhook) {
        lastTrouble = "";
        log.log(Level.INFO, "the API server knows webhook " + webhook + " by the mesh's roots");
    }

    @Override
    public void authorityNotWritten(String webhook, String why) {
        if (!why.equals(lastTrouble)) {
            lastTrouble = why;
            log.log(Level.WARNING, "the API server does not know webhook " + webhook + ": " + why);
        }
    }
}
