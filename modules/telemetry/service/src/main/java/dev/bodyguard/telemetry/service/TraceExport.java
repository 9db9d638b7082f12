package dev.bodyguard.telemetry.service;

import java.net.URI;
import java.net.URISyntaxException;

/// Where spans go: `zipkin=http://host:9411/api/v2/spans` or `otlp=http://host:4318/v1/traces`.
public record TraceExport(Format format, URI uri) {
    /// What is spoken there.
    public enum Format {
        ZIPKIN,
        OTLP
    }

    /// Reads one; an `IllegalArgumentException` says what is wrong with it.
    public static TraceExport parse(String text) {
        int equals = text.indexOf('=');
        var name = equals < 0 ? "" : text.substring(0, equals);
        var format = switch (name) {
            case "zipkin" -> Format.ZIPKIN;
            case "otlp" -> Format.OTLP;
            default -> throw wrong(text);
        };
        try {
            var uri = new URI(text.substring(equals + 1));
            if (uri.getHost() == null || !("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))) {
                throw wrong(text);
            }
            return new TraceExport(format, uri);
        } catch (URISyntaxException _) {
            throw wrong(text);
        }
    }

    private static IllegalArgumentException wrong(String text) {
        return new IllegalArgumentException("a trace export is zipkin=http://127.0.0.1:9411/api/v2/spans or"
                + " otlp=http://127.0.0.1:4318/v1/traces, was " + text);
    }

    /// For people and labels; without what may be a secret.
    String name() {
        return (format == Format.ZIPKIN ? "zipkin " : "otlp ") + uri.getScheme() + "://" + uri.getHost()
                + (uri.getPort() < 0 ? "" : ":" + uri.getPort()) + uri.getRawPath();
    }
}
