/// Decides about requests by standard xDS resources; there is no proxy, no socket and no control plane.
module dev.bodyguard.samples.engine {
    requires com.google.protobuf;
    requires dev.bodyguard.proxy.engine;
    requires dev.bodyguard.xds.protocol;
}
