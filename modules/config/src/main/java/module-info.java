/// What proxies should do: follows discovery, translates what authors wrote, compiles it and serves it as ADS.
/// Keeps the last good form of every document in force, also over a restart. Knows neither the files that authors write
/// nor Kubernetes.
module dev.bodyguard.config {
    requires static transitive org.jspecify;
    requires transitive dev.bodyguard.identity.client;
    requires transitive dev.bodyguard.identity.spiffe;
    requires transitive dev.bodyguard.xds.compile;
    requires transitive dev.bodyguard.xds.server;
    requires dev.bodyguard.tracing;
    requires transitive io.opentelemetry.api;
    requires io.opentelemetry.context;
    requires transitive micrometer.core;
    requires dev.bodyguard.dialect;
    requires dev.bodyguard.model;
    requires dev.bodyguard.service;
    requires dev.bodyguard.xds.client;
    requires dev.bodyguard.xds.protocol;
    requires dev.bodyguard.xds.snapshot;
    requires micrometer.registry.prometheus;

    exports dev.bodyguard.config;
}
