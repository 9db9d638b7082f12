/// Telemetry's place in the control plane. Knows nothing of routes or identities.
module dev.bodyguard.telemetry.service {
    requires static transitive org.jspecify;
    requires transitive io.helidon.webserver;
    requires transitive micrometer.registry.prometheus;
    requires micrometer.core;

    exports dev.bodyguard.telemetry.service;
}
