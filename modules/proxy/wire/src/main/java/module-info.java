import org.jspecify.annotations.NullMarked;

/// Bytes to exchanges and back: listeners, protocol detection, TLS, HTTP/1, HTTP/2, tunnels, pools. Knows no rules: who
/// may ask for what, and where it goes, is decided by whoever handles the exchanges.
@NullMarked
module dev.bodyguard.proxy.wire {
    requires static transitive org.jspecify;
    requires transitive dev.bodyguard.identity.spiffe;
    requires transitive dev.bodyguard.proxy.engine;
    requires transitive io.netty.buffer;
    requires io.netty.codec;
    requires io.netty.codec.http;
    requires io.netty.codec.http2;
    requires io.netty.common;
    requires io.netty.handler;
    requires io.netty.tcnative.classes.openssl;
    requires io.netty.transport;
    requires io.netty.transport.classes.epoll;
    requires io.netty.transport.unix.common;

    exports dev.bodyguard.proxy.wire;
}
