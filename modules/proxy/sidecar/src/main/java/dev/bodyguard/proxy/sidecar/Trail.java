package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.wire.Request;
import dev.bodyguard.telemetry.record.TraceParent;
import java.util.UUID;
import java.util.random.RandomGenerator;

/// What lets one request be found again at every hop: a trace, continued or begun, and a request id.
final class Trail {
    private static final String TRACE = "traceparent";
    private static final String REQUEST_ID = "x-request-id";

    private final double sampled;

    /// @param sampled the share of traces beginning here of which spans are sent; of others, their caller decides
    Trail(double sampled) {
        this.sampled = sampled;
    }

    void follow(Request request, Facts facts, RandomGenerator random) {
        var came = request.fields().get(TRACE);
        var parent = came == null ? null : TraceParent.parse(came);
        var own = parent == null ? TraceParent.start(random.nextDouble() < sampled, random) : parent.child(random);
        request.fields().set(TRACE, own.toString());
        if (parent == null) {
            // W3C Trace Context §3.3: tracestate means nothing beside another's traceparent.
            request.fields().remove("tracestate");
        }
        facts.trace = own;
        facts.parentSpan = parent == null ? 0 : parent.span();
        var id = request.fields().get(REQUEST_ID);
        if (id == null || id.isEmpty()) {
            id = new UUID((random.nextLong() & ~0xf000L) | 0x4000L, (random.nextLong() >>> 2) | Long.MIN_VALUE)
                    .toString();
            request.fields().set(REQUEST_ID, id);
        }
        facts.requestId = id;
    }
}
