package dev.bodyguard.tracing;

import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.lang.System.Logger.Level;
import java.util.Collection;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/// Tells once that a collector takes no spans, and once that it does again.
final class Export implements SpanExporter {
    private static final System.Logger LOG = System.getLogger("dev.bodyguard.tracing");

    private final SpanExporter exporter;
    private final String endpoint;
    private final AtomicBoolean lost = new AtomicBoolean();
    private final AtomicLong dropped = new AtomicLong();

    /// @param endpoint for people
    Export(SpanExporter exporter, String endpoint) {
        this.exporter = exporter;
        this.endpoint = endpoint;
    }

    @Override
    public CompletableResultCode export(Collection<SpanData> spans) {
        int count = spans.size();
        var result = exporter.export(spans);
        result.whenComplete(() -> {
            if (!result.isSuccess()) {
                dropped.addAndGet(count);
                if (lost.compareAndSet(false, true)) {
                    LOG.log(
                            Level.WARNING,
                            endpoint + " takes no spans, they are dropped until it does: " + why(result));
                }
            } else if (lost.compareAndSet(true, false)) {
                LOG.log(
                        Level.INFO,
                        endpoint + " takes spans again; at least " + dropped.getAndSet(0) + " were dropped");
            }
        });
        return result;
    }

    @Override
    public CompletableResultCode flush() {
        return exporter.flush();
    }

    @Override
    public CompletableResultCode shutdown() {
        return exporter.shutdown();
    }

    @Override
    public String toString() {
        return exporter.toString();
    }

    private static String why(CompletableResultCode result) {
        var cause = result.getFailureThrowable();
        return cause == null ? "it did not answer in time" : String.valueOf(cause.getMessage());
    }
}
