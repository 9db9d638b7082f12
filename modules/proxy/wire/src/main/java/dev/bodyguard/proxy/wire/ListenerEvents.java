package dev.bodyguard.proxy.wire;

import java.net.SocketAddress;

/// What happens at a listener to connections on which there is no request to answer. Called on many loops. A reason may
/// hold a peer's own words, of any characters.
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

    /// A connection broke HTTP/2's rules, not one of its requests; it was told so and closed.
    ///
    /// @param reason a sentence that says which
    default void malformed(SocketAddress peer, String reason) {}
}
