/// The server's end of xDS: streams of either protocol over gRPC, and the port they share with other gRPC services.
/// Knows nothing of what the resources mean or who may see them; [dev.bodyguard.xds.server.Views] does.
module dev.bodyguard.xds.server {
    requires static transitive org.jspecify;
    requires transitive dev.bodyguard.identity.spiffe;
    requires transitive dev.bodyguard.xds.snapshot;
    requires io.grpc.netty;
    requires io.grpc.util;
    requires io.helidon.common.tls;
    requires io.helidon.webserver;
    requires io.helidon.webserver.grpc;
    requires io.helidon.webserver.http2;
    // grpc-netty is an automatic module and pulls none of these in.
    requires io.netty.codec.http2;
    requires io.netty.common;
    requires io.netty.handler;
    requires io.netty.transport;

    exports dev.bodyguard.xds.server;
}
