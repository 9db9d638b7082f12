package dev.bodyguard.proxy.wire;

/// A client connection whose bytes may turn out to be opaque.
public interface Tunnel {
    Connection connection();

    Loop loop();

    /// What is known of the client before its first byte.
    Opening opening();

    /// The `host:port` of the CONNECT, or where a captured connection was meant for.
    String destination();

    /// Whom the client's TLS is for, as its hello says (RFC 6066 §3), once `onOpaque` is heard; a client's word, in any
    /// spelling. Empty where it began with no TLS, or named nobody.
    String serverName();

    /// Connects to the server: in plaintext, or over mutual TLS with the ALPN of bytes that are no HTTP.
    /// Bytes flow, half-closes included, as soon as it is known that this is no HTTP: by the first byte
    /// from either side, but for a server's SETTINGS of HTTP/2, which many send unasked and which wait for
    /// the client's word. Where it fails, another dial may follow: the server was sent nothing yet. Does
    /// nothing while there is a server.
    ///
    /// @param tls what a peer of the mesh is shown
    void dial(Target server, MeshTls tls);

    /// Gives up: closes what is open.
    void close();
}
