/// The process beside each app: listens, decides by the plan in force, moves bytes, and keeps its own identity.
/// Does not know authored documents, Kubernetes, or how certificates are signed.
module dev.bodyguard.proxy.sidecar {
    requires static org.jspecify;
    requires dev.bodyguard.machine;
    requires com.google.protobuf;
    requires dev.bodyguard.identity.client;
    requires dev.bodyguard.identity.spiffe;
    requires dev.bodyguard.proxy.engine;
    requires dev.bodyguard.proxy.wire;
    requires dev.bodyguard.telemetry.record;
    requires dev.bodyguard.xds.client;
    requires dev.bodyguard.xds.protocol;
    requires io.grpc;
    requires io.grpc.stub;
    requires java.logging;
    requires java.management;
    requires io.netty.buffer;
    requires io.netty.codec;
    requires io.netty.codec.http;
    requires io.netty.common;
    requires io.netty.handler;
    requires io.netty.transport;
}
