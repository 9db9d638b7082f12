/// What a process tells of its own work as spans: OpenTelemetry's SDK, set up by its standard variables, or nothing at
/// all. Knows nothing of what is traced; whoever traces needs OpenTelemetry's API only.
module dev.bodyguard.tracing {
    requires static transitive org.jspecify;
    requires transitive io.opentelemetry.api;
    requires io.opentelemetry.common;
    requires io.opentelemetry.sdk;
    requires io.opentelemetry.sdk.autoconfigure;
    requires io.opentelemetry.sdk.autoconfigure.spi;
    requires io.opentelemetry.sdk.common;
    requires io.opentelemetry.sdk.trace;
    requires java.logging;

    exports dev.bodyguard.tracing;
}
