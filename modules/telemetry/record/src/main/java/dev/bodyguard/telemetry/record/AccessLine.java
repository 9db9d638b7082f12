package dev.bodyguard.telemetry.record;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import org.jspecify.annotations.Nullable;

/// Writes an exchange as one line of JSON, with Istio's keys and a few more. Whatever the client sent is escaped, so
/// that a line stays a line.
public final class AccessLine {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);
    private static final char[] HEX = "0123456789abcdef".toCharArray();

    private AccessLine() {}

    /// Appends the line, its end included.
    public static void write(Exchange exchange, StringBuilder to) {
        var request = exchange.request();
        var response = exchange.response();
        var upstream = exchange.upstream();
        var downstream = exchange.downstream();
        var decision = exchange.decision();
        var trace = exchange.trace();
        to.append("{\"start_time\":\"");
        TIME.formatTo(Instant.ofEpochMilli(exchange.startedAt()), to);
        to.append('"');
        text(to, "route_name", decision.routeName().isEmpty() ? null : decision.routeName());
        text(to, "method", request.method());
        text(to, "path", request.path());
        text(to, "protocol", request.protocol());
        number(to, "response_code", response.code());
        text(to, "response_flags", response.flags());
        text(to, "response_code_details", response.details());
        text(to, "connection_termination_details", response.termination());
        number(to, "bytes_received", request.bytes());
        number(to, "bytes_sent", response.bytes());
        number(to, "duration", exchange.durationNanos() / 1_000_000);
        number(to, "upstream_service_time", upstream.serviceNanos() < 0 ? -1 : upstream.serviceNanos() / 1_000_000);
        text(to, "x_forwarded_for", request.forwardedFor());
        text(to, "user_agent", request.userAgent());
        text(to, "request_id", request.requestId());
        text(to, "authority", request.authority());
        text(to, "upstream_host", upstream.host());
        text(to, "upstream_cluster", upstream.cluster());
        text(to, "upstream_local_address", upstream.localAddress());
        text(to, "downstream_local_address", downstream.localAddress());
        text(to, "downstream_remote_address", downstream.remoteAddress());
        text(to, "requested_server_name", downstream.serverName());
        text(to, "upstream_transport_failure_reason", upstream.failure());
        text(to, "reporter", exchange.edge().reporter().word);
        text(to, "source_workload", exchange.edge().source().workload());
        text(to, "destination_workload", exchange.edge().destination().workload());
        text(to, "destination_version", exchange.edge().destination().version());
        text(to, "destination_service", exchange.edge().destinationService());
        text(to, "connection_security_policy", downstream.security().word);
        text(to, "peer", downstream.peer());
        number(to, "attempts", upstream.attempts());
        number(to, "grpc_status", response.grpcStatus());
        text(to, "trace_id", trace == null ? null : trace.traceId());
        text(to, "rule", decision.rule());
        text(to, "sentence", decision.sentence());
        to.append("}\n");
    }

    /// The line, its end included.
    public static String of(Exchange exchange) {
        var line = new StringBuilder(768);
        write(exchange, line);
        return line.toString();
    }

    private static void number(StringBuilder to, String key, long value) {
        to.append(",\"").append(key).append("\":");
        if (value < 0) {
            to.append("null");
        } else {
            to.append(value);
        }
    }

    private static void text(StringBuilder to, String key, @Nullable String value) {
        to.append(",\"").append(key).append("\":");
        if (value == null) {
            to.append("null");
            return;
        }
        to.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' || c == '\\') {
                to.append('\\').append(c);
            } else if (c == '\n') {
                to.append("\\n");
            } else if (c == '\r') {
                to.append("\\r");
            } else if (c == '\t') {
                to.append("\\t");
            } else if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || isLone(value, i)) {
                // Also what a terminal or a JavaScript reader would take for a command or a line's end.
                to.append("\\u")
                        .append(HEX[c >> 12])
                        .append(HEX[c >> 8 & 0xf])
                        .append(HEX[c >> 4 & 0xf])
                        .append(HEX[c & 0xf]);
            } else {
                to.append(c);
            }
        }
        to.append('"');
    }

    private static boolean isLone(String value, int at) {
        char c = value.charAt(at);
        if (Character.isHighSurrogate(c)) {
            return at + 1 == value.length() || !Character.isLowSurrogate(value.charAt(at + 1));
        }
        return Character.isLowSurrogate(c) && (at == 0 || !Character.isHighSurrogate(value.charAt(at - 1)));
    }
}
