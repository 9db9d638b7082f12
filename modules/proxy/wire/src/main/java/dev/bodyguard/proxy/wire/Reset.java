package dev.bodyguard.proxy.wire;

/// Why one side gave up on a stream before it ended.
public enum Reset {
    /// The other side no longer wants it: RST_STREAM with CANCEL or NO_ERROR, or an HTTP/1 client that went away.
    CANCELLED,
    /// The connection broke.
    CONNECTION_LOST,
    /// Certainly not processed: may be sent again, whatever its method.
    REFUSED,
    /// The message broke its protocol's rules.
    MALFORMED,
    /// Anything else went wrong.
    INTERNAL,
    /// Took too long.
    TIMED_OUT
}
