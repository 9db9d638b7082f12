/// The whole control plane in one process, for one machine. Composes the services; decides nothing itself.
module dev.bodyguard.standalone {
    requires static transitive org.jspecify;
    requires dev.bodyguard.machine;
    requires dev.bodyguard.service;
    requires dev.bodyguard.config;
    requires dev.bodyguard.discovery;
    requires dev.bodyguard.identity.authority;
    requires dev.bodyguard.identity.client;
    requires dev.bodyguard.identity.service;
    requires dev.bodyguard.identity.spiffe;
    requires dev.bodyguard.model;
    requires dev.bodyguard.source.files;
    requires dev.bodyguard.telemetry.service;
    requires dev.bodyguard.tracing;
    requires dev.bodyguard.xds.server;
    requires micrometer.core;
    requires micrometer.registry.prometheus;

    exports dev.bodyguard.standalone;
}
