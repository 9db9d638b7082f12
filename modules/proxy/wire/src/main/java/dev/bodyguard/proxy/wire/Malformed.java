package dev.bodyguard.proxy.wire;

import java.io.Serial;

/// A peer's message breaks its protocol; thrown by parsers to the connection that feeds them.
final class Malformed extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final int status;

    /// @param status how an HTTP/1 server answers it, 0 where it does not
    Malformed(int status, String sentence) {
        super(sentence, null, false, false);
        this.status = status;
    }

    int status() {
        return status;
    }

    String sentence() {
        return String.valueOf(getMessage());
    }
}
