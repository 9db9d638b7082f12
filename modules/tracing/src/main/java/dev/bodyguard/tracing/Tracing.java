package dev.bodyguard.tracing;

import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.TracerProvider;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/// A process's tracing.
///
/// On where a variable says where spans go: `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`. All
/// of OpenTelemetry's variables about traces hold then, with its defaults: `OTEL_EXPORTER_OTLP_PROTOCOL` (`grpc`),
/// `OTEL_TRACES_SAMPLER`, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_SDK_DISABLED`, and
/// `OTEL_BSP_MAX_QUEUE_SIZE` (2,048 spans; those beyond are dropped). Metrics and logs are not exported, whatever they
/// say.
///
/// Off, nothing of the SDK is loaded and no thread runs.
public final class Tracing implements AutoCloseable {
    private static final List<String> ENDPOINTS =
            List.of("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT");

    private final TracerProvider provider;
    private final Runnable end;

    private Tracing(TracerProvider provider, Runnable end) {
        this.provider = provider;
        this.end = end;
    }

    /// Sets it up.
    ///
    /// @param service what the process is called where no `OTEL_SERVICE_NAME` says otherwise
    /// @throws IOException where a variable is wrong, with a sentence for people
    public static Tracing start(String service, Map<String, String> environment) throws IOException {
        var endpoint = ENDPOINTS.stream()
                .map(key -> environment.getOrDefault(key, "").strip())
                .filter(value -> !value.isEmpty())
                .findFirst();
        if (endpoint.isEmpty()) {
            return new Tracing(TracerProvider.noop(), () -> {});
        }
        var sdk = Sdk.start(service, endpoint.get(), environment);
        return new Tracing(sdk.provider(), sdk::close);
    }

    /// Begins spans. Where tracing is off they are nothing.
    ///
    /// @param scope who makes them: the module's name
    public Tracer tracer(String scope) {
        return provider.get(scope);
    }

    /// Hands over what is left, for two seconds at most.
    @Override
    public void close() {
        end.run();
    }
}
