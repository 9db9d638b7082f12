package dev.bodyguard.proxy.wire;

/// Connections to peers, pooled per loop and [Target]: one HTTP/2 connection shared by many streams (more where the
/// peer allows too few), or kept-alive HTTP/1.1 connections.
public interface Upstreams {
    /// Pools on these loops; `tls` is what mesh peers are shown.
    static Upstreams on(Loops loops, Limits limits, MeshTls tls) {
        return new Pools(loops, limits, tls);
    }

    /// Sends a request; only on `loop`. The head may be changed by the callee; the stream is open until the listener
    /// heard the end, a failure, or the caller cancelled.
    ///
    /// @param last the request has neither body nor trailers
    UpstreamStream open(Loop loop, Target target, Request head, boolean last, ResponseListener listener);
}
