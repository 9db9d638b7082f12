package dev.bodyguard.proxy.engine;

import org.jspecify.annotations.Nullable;

/// What is done with connections and requests for one of the application's ports.
public interface InboundRule {
    /// The application's port.
    int port();

    /// Whether, and whose, TLS is asked of the peer.
    Security security();

    /// Leads to an `inbound|port||` cluster, whose endpoint is the application's address.
    Routing route(RequestHead head);

    /// Whether the peer may make the request.
    ///
    /// @param peer its SPIFFE id, null where it has none
    Verdict authorize(@Nullable String peer, RequestHead head);

    /// What an inbound port asks of a connection.
    ///
    /// @param tls accepted at all
    /// @param plaintext accepted at all; STRICT is TLS without plaintext
    /// @param peers every accepted SPIFFE id begins with this; empty where any trusted one does
    record Security(boolean tls, boolean plaintext, String peers) {}
}
