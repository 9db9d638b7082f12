/// Serves configuration of its own making to any xDS client; nothing else of the mesh is there.
module dev.bodyguard.samples.xds {
    requires static org.jspecify;
    requires dev.bodyguard.xds.protocol;
    requires dev.bodyguard.xds.server;
    requires dev.bodyguard.xds.snapshot;
}
