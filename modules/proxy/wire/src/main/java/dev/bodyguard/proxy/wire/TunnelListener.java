package dev.bodyguard.proxy.wire;

/// Hears what became of a tunnel, on its loop.
public interface TunnelListener {
    /// This is no tunnel: the client speaks HTTP, and its requests go to the listener's [RequestHandler]. A dialled
    /// connection is dropped, without a byte, and this is the last call.
    default void onHttp() {}

    /// This is no tunnel: the client begins TLS that ends here, in which everything begins anew. A dialled connection
    /// is dropped, without a byte, and this is the last call.
    default void onTls() {}

    /// The first bytes, from whichever side, are not HTTP: this is a tunnel from now on.
    default void onOpaque() {}

    /// The server is there, and is who it should be.
    default void onDialled() {}

    /// There is no connection to the server, and it was sent nothing: dial another one, or close.
    default void onDialFailed(Failure failure) {}

    /// Both sides are closed, or the client went before anybody had said a byte; the last call. Bytes as the client
    /// saw them.
    default void onClosed(long sent, long received) {}
}
