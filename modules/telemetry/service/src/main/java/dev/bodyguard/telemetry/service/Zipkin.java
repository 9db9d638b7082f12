package dev.bodyguard.telemetry.service;

import com.google.protobuf.ByteString;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Status;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Spans in Zipkin's JSON, version 2, with Zipkin's names for what it has names for.
final class Zipkin {
    private static final Map<String, String> TAGS = Map.of(
            "http.request.method", "http.method",
            "http.response.status_code", "http.status_code",
            "url.path", "http.path",
            "server.address", "http.host",
            "http.request.header.x-request-id", "guid:x-request-id",
            "error.type", "error");

    private Zipkin() {}

    static String json(List<ResourceSpans> batch) {
        var json = new Json().array();
        for (var resource : batch) {
            var attributes = tags(resource.getResource().getAttributesList());
            var service = attributes.getOrDefault("service.name", "unknown");
            for (var scope : resource.getScopeSpansList()) {
                for (var span : scope.getSpansList()) {
                    write(span, service, attributes, json);
                }
            }
        }
        return json.endArray().toString();
    }

    private static void write(Span span, String service, Map<String, String> resource, Json json) {
        var tags = tags(span.getAttributesList());
        var remote = tags.remove("peer.service");
        json.object().key("traceId").text(hex(span.getTraceId())).key("id").text(hex(span.getSpanId()));
        if (!span.getParentSpanId().isEmpty()) {
            json.key("parentId").text(hex(span.getParentSpanId()));
        }
        switch (span.getKind()) {
            case SPAN_KIND_SERVER -> json.key("kind").text("SERVER");
            case SPAN_KIND_CLIENT -> json.key("kind").text("CLIENT");
            case SPAN_KIND_PRODUCER -> json.key("kind").text("PRODUCER");
            case SPAN_KIND_CONSUMER -> json.key("kind").text("CONSUMER");
            case SPAN_KIND_UNSPECIFIED, SPAN_KIND_INTERNAL, UNRECOGNIZED -> {} // Zipkin has no word for it
        }
        long micros = span.getStartTimeUnixNano() / 1_000;
        json.key("name").text(span.getName());
        json.key("timestamp").number(micros);
        // Zipkin takes 0 for unknown.
        json.key("duration").number(Math.max(1, span.getEndTimeUnixNano() / 1_000 - micros));
        json.key("localEndpoint").object().key("serviceName").text(service).endObject();
        if (remote != null) {
            json.key("remoteEndpoint").object().key("serviceName").text(remote).endObject();
        }
        for (var name : List.of("service.namespace", "service.version", "service.instance.id", "bodyguard.principal")) {
            var value = resource.get(name);
            if (value != null) {
                tags.putIfAbsent(name, value);
            }
        }
        if (span.getStatus().getCode() == Status.StatusCode.STATUS_CODE_ERROR) {
            tags.putIfAbsent("error.type", "true");
            if (!span.getStatus().getMessage().isEmpty()) {
                tags.put("otel.status_description", span.getStatus().getMessage());
            }
        }
        json.key("tags").object();
        tags.forEach((name, value) -> json.key(TAGS.getOrDefault(name, name)).text(value));
        json.endObject().endObject();
    }

    private static Map<String, String> tags(List<KeyValue> attributes) {
        var tags = new TreeMap<String, String>();
        for (var pair : attributes) {
            tags.put(pair.getKey(), text(pair.getValue()));
        }
        return tags;
    }

    private static String text(AnyValue value) {
        return switch (value.getValueCase()) {
            case STRING_VALUE -> value.getStringValue();
            case BOOL_VALUE -> Boolean.toString(value.getBoolValue());
            case INT_VALUE -> Long.toString(value.getIntValue());
            case DOUBLE_VALUE -> Double.toString(value.getDoubleValue());
            case BYTES_VALUE -> hex(value.getBytesValue());
            default -> value.toString().strip();
        };
    }

    private static String hex(ByteString bytes) {
        return HexFormat.of().formatHex(bytes.toByteArray());
    }
}
