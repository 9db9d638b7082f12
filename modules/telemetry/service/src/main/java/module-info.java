/// What the mesh's members report, summed up, shown and handed on. Knows nothing of routes, nor how certificates are
/// signed.
module dev.bodyguard.telemetry.service {
    requires static transitive org.jspecify;
    requires com.google.protobuf;
    requires dev.bodyguard.identity.client;
    requires transitive dev.bodyguard.identity.spiffe;
    requires dev.bodyguard.service;
    requires dev.bodyguard.tracing;
    requires io.helidon.common.tls;
    requires io.helidon.http;
    requires io.helidon.webserver;
    requires io.helidon.webserver.http2;
    requires io.helidon.webserver.staticcontent;
    requires transitive io.opentelemetry.api;
    requires io.opentelemetry.proto;
    requires java.net.http;
    requires micrometer.core;
    requires transitive micrometer.registry.prometheus;

    exports dev.bodyguard.telemetry.service;
}
