package dev.bodyguard.identity.service;

import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.tracing.Moments;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;

/// `identity.sign`: each certificate as a span, with whom it is for and how long it lives; and each that could not be
/// signed because of us. What strangers ask for in vain is not traced: they could fill the queue with it.
public final class TracedEvents implements Events {
    private static final AttributeKey<String> ACCOUNT = AttributeKey.stringKey("bodyguard.service_account");
    private static final AttributeKey<String> ID = AttributeKey.stringKey("bodyguard.spiffe_id");
    private static final AttributeKey<String> SERIAL = AttributeKey.stringKey("bodyguard.certificate.serial");
    private static final AttributeKey<Long> LIFETIME = AttributeKey.longKey("bodyguard.certificate.lifetime_s");
    private static final AttributeKey<String> ERROR = AttributeKey.stringKey("error.type");

    private final Tracer tracer;

    public TracedEvents(Tracer tracer) {
        this.tracer = tracer;
    }

    @Override
    public void issued(SpiffeId id, String serial, Instant until, String peer, Duration took) {
        begun(took)
                .setAttribute(ACCOUNT, id.namespace() + "/" + id.serviceAccount())
                .setAttribute(ID, id.toString())
                .setAttribute(SERIAL, serial)
                .setAttribute(LIFETIME, Duration.between(Instant.now(), until).toSeconds())
                .end();
    }

    @Override
    public void failed(String wanted, Throwable cause, String peer, Duration took) {
        begun(took)
                .setAttribute(ACCOUNT, wanted)
                .setAttribute(ERROR, cause.getClass().getName())
                .setStatus(StatusCode.ERROR, cause.toString())
                .end();
    }

    private Span begun(Duration ago) {
        return tracer.spanBuilder("identity.sign")
                .setNoParent()
                .setSpanKind(SpanKind.SERVER)
                .setStartTimestamp(Moments.now().of(System.nanoTime() - ago.toNanos()), TimeUnit.NANOSECONDS)
                .startSpan();
    }
}
