package dev.bodyguard.proxy.wire;

/// What is known of a tunnel's client before its first byte.
public enum Opening {
    /// It has announced bytes that are no HTTP: there is nothing to wait for.
    BYTES,
    /// It has said nothing, and may be waiting for the server's first word.
    ANYTHING,
    /// It has to begin with TLS that ends here.
    TLS
}
