/// The process beside each app: listens, decides by the plan in force, moves bytes, and keeps its own identity.
/// Does not know authored documents, Kubernetes, or how certificates are signed.
module dev.bodyguard.proxy.sidecar {
    requires static org.jspecify;
    requires io.netty.buffer;
    requires io.netty.codec;
    requires io.netty.codec.http;
    requires io.netty.common;
    requires io.netty.handler;
    requires io.netty.transport;
}
