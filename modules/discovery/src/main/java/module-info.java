/// What exists: reads authored documents from a directory, or from an API server with its pods, keeps the workloads
/// that
/// registered, and serves all of it as delta streams. Knows nothing of what a document means or who will do what
/// because of it.
module dev.bodyguard.discovery {
    requires static transitive org.jspecify;
    requires transitive dev.bodyguard.source.files;
    // There only where an API server is read.
    requires static dev.bodyguard.source.kubernetes;
    requires transitive dev.bodyguard.identity.spiffe;
    requires transitive dev.bodyguard.xds.server;
    requires dev.bodyguard.tracing;
    requires transitive io.opentelemetry.api;
    requires transitive micrometer.core;
    requires transitive io.helidon.webserver;
    requires dev.bodyguard.identity.client;
    requires dev.bodyguard.model;
    requires transitive dev.bodyguard.service;
    requires dev.bodyguard.xds.protocol;
    requires dev.bodyguard.xds.snapshot;
    requires micrometer.registry.prometheus;

    exports dev.bodyguard.discovery;
}
