package dev.bodyguard.proxy.wire;

/// What is known of a tunnel's client before its first byte.
public enum Opening {
    /// It has announced bytes that are no HTTP: there is nothing to wait for.
    BYTES,
    /// It has said nothing, and may be waiting for the server's first word.
    ANYTHING,
    /// The same, or it is a peer of the mesh, to whose TLS no server's word would be an answer.
    ANYTHING_OR_PEER,
    /// It has to begin with TLS that ends here.
    TLS
}
