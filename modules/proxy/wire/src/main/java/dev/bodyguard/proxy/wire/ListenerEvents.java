package dev.bodyguard.proxy.wire;

import java.net.SocketAddress;

/// What happens at a listener before there is a request to answer. Called on many loops.
public interface ListenerEvents {
    /// A TLS handshake came to nothing.
    ///
    /// @param reason a sentence: what the peer presented and what was expected, or what TLS said
    default void handshakeFailed(SocketAddress peer, String reason) {}

    /// Plaintext came where only mutual TLS is accepted; the connection was closed.
    ///
    /// @param reason a sentence that says what it looked like
    default void plaintextRefused(SocketAddress peer, String reason) {}

    /// A connection came to a captured port that was not meant for the app, or for a port where nobody is let in; it
    /// was
    /// closed.
    ///
    /// @param reason a sentence: what it was meant for and why it is not let in
    default void captureRefused(SocketAddress peer, String reason) {}

    /// A listener has as many connections as its limits allow, so this one was closed unheard.
    ///
    /// @param reason a sentence that names the limit
    default void overflowed(SocketAddress peer, String reason) {}

    /// Bytes that are no HTTP, or too much of it; answered with an error of the protocol and closed.
    default void malformed(SocketAddress peer, String reason) {}
}
