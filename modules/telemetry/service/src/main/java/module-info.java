/// Telemetry's place in the control plane. Knows nothing of routes or identities.
module dev.bodyguard.telemetry.service {
    requires static transitive org.jspecify;
    requires io.helidon.http;
    requires transitive io.helidon.webserver;
    requires io.helidon.webserver.staticcontent;
    requires transitive micrometer.registry.prometheus;
    requires java.net.http;
    requires micrometer.core;

    exports dev.bodyguard.telemetry.service;
}
