/// Turns a mesh into standard xDS v3 resources, by name and for one client at a time. Pure: the same mesh gives the
/// same bytes. Knows nothing of streams, versions or subscriptions.
module dev.bodyguard.xds.compile {
    requires static transitive org.jspecify;
    requires transitive dev.bodyguard.model;
    requires dev.bodyguard.telemetry.record;
    requires transitive dev.bodyguard.xds.protocol;

    exports dev.bodyguard.xds.compile;
}
