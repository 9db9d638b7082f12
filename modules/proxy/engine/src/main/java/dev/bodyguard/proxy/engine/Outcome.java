package dev.bodyguard.proxy.engine;

/// How one attempt ended, as far as a retry may care, or who counts failures. A retry is asked only about what
/// happened before response headers went to the client.
public sealed interface Outcome {
    /// Response headers arrived.
    ///
    /// @param grpcStatus of a trailers-only or header `grpc-status`, -1 where there is none
    record Responded(int status, int grpcStatus) implements Outcome {
        /// The status in HTTP's terms: of `grpcStatus` where there is one, by gRPC's own table.
        int http() {
            return switch (grpcStatus) {
                case -1 -> status;
                case 0 -> 200;
                case 1 -> 499;
                case 3, 9, 11 -> 400;
                case 4 -> 504;
                case 5 -> 404;
                case 6, 10 -> 409;
                case 7 -> 403;
                case 8 -> 429;
                case 12 -> 501;
                case 14 -> 503;
                case 16 -> 401;
                default -> 500;
            };
        }
    }

    /// No connection came to be: certainly not processed.
    record ConnectFailed() implements Outcome {}

    /// The stream or connection broke before all of the response was there.
    ///
    /// @param mayHaveBeenProcessed false only where nothing of the request was written
    record ResetBeforeResponse(boolean mayHaveBeenProcessed) implements Outcome {}

    /// HTTP/2 `REFUSED_STREAM`, or a stream above `GOAWAY`'s last one: certainly not processed.
    record RefusedStream() implements Outcome {}

    /// The attempt's time ran out before response headers, be it its own or what was left of the request's.
    record PerTryTimeout() implements Outcome {}
}
