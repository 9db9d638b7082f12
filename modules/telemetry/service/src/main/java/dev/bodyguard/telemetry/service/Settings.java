package dev.bodyguard.telemetry.service;

import java.util.List;

/// What the telemetry service can be told.
///
/// @param port of the summary, the metrics and the pages; plain HTTP, so `host` is best a loopback address
/// @param otlpPort where members of the mesh report, by mutual TLS
/// @param exports where spans go on to
public record Settings(String host, int port, int otlpPort, List<TraceExport> exports) {
    public Settings {
        exports = List.copyOf(exports);
    }
}
