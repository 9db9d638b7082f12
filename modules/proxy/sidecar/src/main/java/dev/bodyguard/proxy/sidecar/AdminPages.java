package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.sidecar.AdminServer.Page;
import dev.bodyguard.proxy.sidecar.AdminServer.Reply;
import dev.bodyguard.telemetry.record.Meters;
import java.util.Map;
import java.util.function.Supplier;

/// What operators may ask.
record AdminPages(Readiness readiness, Meters meters, InForce<Generation> inForce, Settings settings, Runnable drain) {
    Map<Page, Supplier<Reply>> all() {
        return Map.of(
                new Page("GET", "/healthz/ready"),
                this::ready,
                new Page("GET", "/metrics"),
                () -> new Reply(200, Meters.CONTENT_TYPE, meters.text()),
                new Page("GET", "/config"),
                () -> Reply.json(ConfigDump.of(inForce.get().plan(), settings)),
                new Page("POST", "/drain"),
                this::startDraining);
    }

    private Reply ready() {
        var missing = readiness.missing();
        return missing.isEmpty() ? Reply.text(200, "ready\n") : Reply.text(503, String.join("\n", missing) + "\n");
    }

    private Reply startDraining() {
        Thread.ofPlatform().name("drain").start(drain);
        return Reply.text(202, "draining\n");
    }
}
