package dev.bodyguard.identity.service;

import dev.bodyguard.identity.spiffe.SpiffeId;
import io.grpc.Status;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;

/// `bodyguard_identity_issued_total` and `bodyguard_identity_refused_total{reason}`.
public final class CountedEvents implements Events {
    private final MeterRegistry registry;
    private final Counter issued;

    public CountedEvents(MeterRegistry registry) {
        this.registry = registry;
        this.issued = Counter.builder("bodyguard.identity.issued")
                .description("Certificates signed for workloads")
                .register(registry);
        // Zero before the first one, so that a rate over it is defined.
        for (var code : Issuance.REFUSALS) {
            refusals(code);
        }
    }

    private Counter refusals(Status.Code code) {
        return Counter.builder("bodyguard.identity.refused")
                .description("Requests for a certificate that were not granted")
                .tag("reason", code.name().toLowerCase(Locale.ROOT))
                .register(registry);
    }

    @Override
    public void issued(SpiffeId id, String serial, Instant until, String peer, Duration took) {
        issued.increment();
    }

    @Override
    public void refused(String wanted, Status.Code code, String why, String peer) {
        refusals(code).increment();
    }

    @Override
    public void failed(String wanted, Throwable cause, String peer, Duration took) {
        refusals(Status.Code.INTERNAL).increment();
    }
}
