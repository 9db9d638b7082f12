package dev.bodyguard.proxy.engine;

/// How one attempt ended, as far as a retry may care. Only what happened before response headers went to the client.
public sealed interface Outcome {
    /// Response headers arrived.
    ///
    /// @param grpcStatus of a trailers-only or header `grpc-status`, -1 where there is none
    record Responded(int status, int grpcStatus) implements Outcome {}

    /// No connection came to be: certainly not processed.
    record ConnectFailed() implements Outcome {}

    /// The stream or connection broke before response headers.
    ///
    /// @param mayHaveBeenProcessed false only where nothing of the request was written
    record ResetBeforeResponse(boolean mayHaveBeenProcessed) implements Outcome {}

    /// HTTP/2 `REFUSED_STREAM`, or a stream above `GOAWAY`'s last one: certainly not processed.
    record RefusedStream() implements Outcome {}

    /// The attempt's own time ran out.
    record PerTryTimeout() implements Outcome {}
}
