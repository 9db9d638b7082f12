/// A workload's side of identity: its key, its request for a certificate, the renewal, and channels to the control
/// plane that prove it. Knows nothing of what the certificate is used for.
module dev.bodyguard.identity.client {
    requires static transitive org.jspecify;
    requires transitive dev.bodyguard.identity.spiffe;
    requires transitive dev.bodyguard.xds.protocol;
    requires io.grpc.netty;
    requires io.netty.handler;

    exports dev.bodyguard.identity.client;
}
