package dev.bodyguard.tracing;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.TracerProvider;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigurationException;
import io.opentelemetry.sdk.resources.Resource;
import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;

/// OpenTelemetry's SDK. The only class that names it, and loaded only where it is asked for.
record Sdk(OpenTelemetrySdk sdk) {
    private static final AttributeKey<String> VERSION = AttributeKey.stringKey("service.version");
    private static final long LAST_WORDS_MS = 2_000;

    /// They would say a line each time that a collector is away or spans find no room, which Export says once, and
    /// lines beside exceptions. Kept, since the JDK holds loggers weakly and would forget their levels.
    private static final List<Logger> SILENCED = List.of(
            Logger.getLogger("io.opentelemetry.exporter"),
            Logger.getLogger("io.opentelemetry.sdk.autoconfigure"),
            Logger.getLogger("io.opentelemetry.sdk.trace.export"));

    /// @param endpoint for people
    static Sdk start(String service, String endpoint, Map<String, String> environment) throws IOException {
        SILENCED.forEach(logger -> logger.setLevel(Level.OFF));
        try {
            return new Sdk(AutoConfiguredOpenTelemetrySdk.builder()
                    .disableShutdownHook()
                    .setServiceClassLoader(Sdk.class.getClassLoader())
                    .addPropertiesSupplier(() -> Map.of("otel.service.name", service))
                    .addPropertiesCustomizer(_ -> told(environment))
                    .addResourceCustomizer((resource, _) -> named(resource))
                    .addSpanExporterCustomizer((exporter, _) -> new Export(exporter, endpoint))
                    .build()
                    .getOpenTelemetrySdk());
        } catch (ConfigurationException | IllegalArgumentException wrong) {
            throw new IOException("tracing by OTEL_… variables cannot be set up: " + wrong.getMessage(), wrong);
        }
    }

    TracerProvider provider() {
        return sdk.getTracerProvider();
    }

    void close() {
        sdk.getSdkTracerProvider().shutdown().join(LAST_WORDS_MS, TimeUnit.MILLISECONDS);
    }

    /// The variables as the SDK's properties. There is a port for metrics already, and stderr for lines.
    private static Map<String, String> told(Map<String, String> environment) {
        var properties = new HashMap<String, String>();
        environment.forEach((key, value) -> {
            if (key.startsWith("OTEL_")) {
                properties.put(key.toLowerCase(Locale.ROOT).replace('_', '.'), value);
            }
        });
        properties.put("otel.metrics.exporter", "none");
        properties.put("otel.logs.exporter", "none");
        return properties;
    }

    /// What the SDK cannot know of a service; what `OTEL_RESOURCE_ATTRIBUTES` says goes before.
    private static Resource named(Resource told) {
        // All modules are built as one version.
        var version = Optional.ofNullable(Sdk.class.getModule().getDescriptor())
                .flatMap(ModuleDescriptor::rawVersion)
                .orElse("unknown");
        return Resource.create(Attributes.of(VERSION, version)).merge(told);
    }
}
