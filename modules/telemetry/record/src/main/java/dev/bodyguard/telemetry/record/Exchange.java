package dev.bodyguard.telemetry.record;

import org.jspecify.annotations.Nullable;

/// One exchange, over: what happened, to whom, how long, which rule decided.
///
/// @param startedAt milliseconds since the epoch
/// @param trace null where none was made
/// @param parentSpan the span that it came from, 0 where the trace began here
public record Exchange(
        Edge edge,
        long startedAt,
        long durationNanos,
        Request request,
        Response response,
        Upstream upstream,
        Downstream downstream,
        Decision decision,
        @Nullable TraceParent trace,
        long parentSpan) {

    /// What was asked.
    ///
    /// @param protocol such as `HTTP/1.1`, null where it could not be read
    /// @param bytes of the body
    public record Request(
            String method,
            String path,
            @Nullable String protocol,
            String authority,
            @Nullable String userAgent,
            @Nullable String requestId,
            @Nullable String forwardedFor,
            long bytes) {}

    /// What was answered.
    ///
    /// @param code the HTTP status, 0 where the client was gone before there was one
    /// @param grpcStatus -1 where there is none
    /// @param flags Envoy's response flags, `-` for none, several joined by a comma
    /// @param details Envoy's word for how the answer came to be
    /// @param termination why the connection broke, null where it did not
    /// @param bytes of the body
    public record Response(
            int code,
            int grpcStatus,
            String flags,
            @Nullable String details,
            @Nullable String termination,
            long bytes) {}

    /// Who answered, as far as it came to that.
    ///
    /// @param attempts made, 0 where the answer is the proxy's own
    /// @param serviceNanos until response headers, -1 where there were none
    /// @param failure of the transport, null where it did not fail
    public record Upstream(
            @Nullable String cluster,
            @Nullable String host,
            @Nullable String localAddress,
            int attempts,
            long serviceNanos,
            @Nullable String failure) {
        /// Nobody was asked.
        public static final Upstream NONE = new Upstream(null, null, null, 0, -1, null);
    }

    /// Who asked.
    ///
    /// @param serverName of its TLS hello
    /// @param peer its SPIFFE id
    /// @param security of its connection
    public record Downstream(
            @Nullable String localAddress,
            @Nullable String remoteAddress,
            @Nullable String serverName,
            @Nullable String peer,
            Edge.Security security) {}

    /// Which rule decided.
    ///
    /// @param routeName empty where the route has none
    /// @param rule the origin of the route, policy or limit that decided
    /// @param sentence what a refusal says
    public record Decision(
            String routeName,
            @Nullable String rule,
            @Nullable String sentence) {
        /// No rule.
        public static final Decision NONE = new Decision("", null, null);
    }
}
