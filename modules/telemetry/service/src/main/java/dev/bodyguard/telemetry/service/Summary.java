package dev.bodyguard.telemetry.service;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.TreeMap;

/// `GET /api/summary`: the mesh as it goes now.
final class Summary {
    private Summary() {}

    static String json(Topology topology, long spans, Instant now) {
        var json = new Json()
                .object()
                .key("generatedAt")
                .text(now.truncatedTo(ChronoUnit.MILLIS).toString())
                .key("windowSeconds")
                .number(Window.SECONDS);
        json.key("workloads").array();
        for (var workload : topology.workloads()) {
            json.object()
                    .key("name")
                    .text(workload.name())
                    .key("namespace")
                    .text(workload.namespace())
                    .key("version")
                    .text(workload.version())
                    .key("service")
                    .text(workload.service())
                    .key("principal")
                    .text(workload.principal())
                    .endObject();
        }
        json.endArray().key("edges").array();
        for (var edge : topology.edges()) {
            write(edge, json);
        }
        return json.endArray().key("spans").number(spans).endObject().toString();
    }

    private static void write(Topology.Figures edge, Json json) {
        var key = edge.key();
        json.object()
                .key("source")
                .text(key.source())
                .key("sourceNamespace")
                .text(key.sourceNamespace())
                .key("sourceVersion")
                .text(key.sourceVersion())
                .key("destination")
                .text(key.destination())
                .key("destinationNamespace")
                .text(key.destinationNamespace())
                .key("destinationVersion")
                .text(key.destinationVersion())
                .key("destinationService")
                .text(key.destinationService())
                .key("requests")
                .number(edge.requests())
                .key("rate")
                .number(edge.rate())
                .key("successRate")
                .number(edge.successRate())
                .key("p50Ms")
                .number(edge.p50())
                .key("p90Ms")
                .number(edge.p90())
                .key("p99Ms")
                .number(edge.p99())
                .key("mtls")
                .number(edge.mutualTls())
                .key("retries")
                .number(edge.retries())
                .key("responses")
                .object();
        new TreeMap<>(edge.responses()).forEach((code, count) -> json.key(code).number(count.longValue()));
        json.endObject().endObject();
    }
}
