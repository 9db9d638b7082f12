package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.Refusal;
import dev.bodyguard.proxy.wire.Exchange;
import dev.bodyguard.proxy.wire.Fields;
import dev.bodyguard.proxy.wire.Request;
import dev.bodyguard.proxy.wire.Response;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// The one place where answers of our own are written.
final class LocalReply {
    static final String FLAG = "x-bodyguard-flag";

    private static final int GRPC_RESOURCE_EXHAUSTED = 8;
    private static final int GRPC_UNIMPLEMENTED = 12;

    private LocalReply() {}

    /// Says no, in the client's own words: a grpc-status for gRPC, JSON for whoever accepts it, otherwise a sentence.
    static Sent refuse(Exchange to, Request request, Refusal refusal) {
        if (isGrpc(request)) {
            int status = grpcStatus(refusal);
            var fields = Fields.of(
                    "content-type",
                    "application/grpc",
                    "grpc-status",
                    Integer.toString(status),
                    "grpc-message",
                    percentEncoded(refusal.sentence()),
                    FLAG,
                    refusal.flag());
            tellOfQuota(fields, refusal);
            to.head(Response.of(200, fields), true);
            return new Sent(200, status, 0);
        }
        var accept = request.fields().get("accept");
        boolean json = accept != null && accept.contains("json");
        var text = new StringBuilder();
        var told = refusal.told();
        if (json) {
            text.append("{\"status\":").append(refusal.status()).append(",\"flag\":");
            Json.text(text, refusal.flag());
            text.append(",\"sentence\":");
            Json.text(text, refusal.sentence());
            text.append(",\"rule\":");
            Json.text(text, told);
            text.append("}\n");
        } else {
            text.append(refusal.sentence()).append('\n');
            if (told != null) {
                text.append("rule: ").append(told).append('\n');
            }
        }
        var fields = Fields.of(
                "content-type", json ? "application/json" : "text/plain; charset=utf-8", FLAG, refusal.flag());
        if (refusal instanceof Refusal.NotReadyYet
                || refusal instanceof Refusal.NotToldYet
                || refusal instanceof Refusal.Full) {
            fields.set("retry-after", "1");
        }
        tellOfQuota(fields, refusal);
        return send(to, request, refusal.status(), fields, text.toString());
    }

    /// Ends an answer of gRPC's that has begun, and tells the status.
    static int end(Exchange to, Refusal refusal) {
        int status = grpcStatus(refusal);
        to.trailers(Fields.of(
                "grpc-status",
                Integer.toString(status),
                "grpc-message",
                percentEncoded(refusal.sentence()),
                FLAG,
                refusal.flag()));
        return status;
    }

    private static void tellOfQuota(Fields fields, Refusal refusal) {
        if (refusal instanceof Refusal.Limited(var _, var exceeded)) {
            fields.set("retry-after", Long.toString(exceeded.retryAfter()));
            Headers.change(fields, QuotaHeaders.of(exceeded.quota()));
        }
    }

    /// An answer that a rule wants made here.
    static Sent respond(Exchange to, Request request, int status, Fields fields, String body) {
        return send(to, request, status, fields, body);
    }

    /// What went out.
    record Sent(int status, int grpcStatus, int bytes) {}

    private static Sent send(Exchange to, Request request, int status, Fields fields, String body) {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        // RFC 9110 §8.6: neither of these has content, and 204 has not even its length.
        boolean never = status == 204 || status == 304;
        if (!never) {
            fields.set("content-length", Integer.toString(bytes.length));
        }
        boolean silent = never || bytes.length == 0 || request.method().equals("HEAD");
        to.head(Response.of(status, fields), silent);
        if (silent) {
            return new Sent(status, -1, 0);
        }
        to.data(Unpooled.wrappedBuffer(bytes), true);
        return new Sent(status, -1, bytes.length);
    }

    static boolean isGrpc(Request request) {
        return isGrpc(request.fields().get("content-type"));
    }

    private static boolean isGrpc(@Nullable String contentType) {
        return contentType != null
                && contentType.startsWith("application/grpc")
                && (contentType.length() == 16 || contentType.charAt(16) == '+' || contentType.charAt(16) == ';');
    }

    private static int grpcStatus(Refusal refusal) {
        if (refusal instanceof Refusal.Limited) {
            return GRPC_RESOURCE_EXHAUSTED;
        }
        // Trying again would not help, as the status for 502 says it might.
        return refusal instanceof Refusal.NotHttp2 ? GRPC_UNIMPLEMENTED : grpcStatus(refusal.status());
    }

    /// As gRPC's mapping of HTTP statuses; a deadline is told apart as Envoy does.
    private static int grpcStatus(int status) {
        return switch (status) {
            case 400 -> 13;
            case 401 -> 16;
            case 403 -> 7;
            case 404 -> 12;
            case 429, 502, 503 -> 14;
            case 504 -> 4;
            default -> 2;
        };
    }

    /// gRPC over HTTP/2: `grpc-message` is percent-encoded UTF-8.
    private static String percentEncoded(String text) {
        var encoded = new StringBuilder();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            if (b >= ' ' && b < 0x7f && b != '%') {
                encoded.append((char) b);
            } else {
                encoded.append(String.format(Locale.ROOT, "%%%02X", b));
            }
        }
        return encoded.toString();
    }
}
