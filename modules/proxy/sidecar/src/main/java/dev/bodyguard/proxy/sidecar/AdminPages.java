package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.proxy.sidecar.AdminServer.Page;
import dev.bodyguard.proxy.sidecar.AdminServer.Query;
import dev.bodyguard.proxy.sidecar.AdminServer.Reply;
import dev.bodyguard.telemetry.record.Meters;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;

/// What operators may ask.
///
/// @param problems what is wrong with this sidecar, and beside it
record AdminPages(
        Readiness readiness,
        Meters meters,
        InForce<Generation> inForce,
        Hosts hosts,
        Settings settings,
        SpiffeId id,
        Supplier<List<Problem>> problems,
        Runnable drain) {
    Map<Page, Function<Query, Reply>> all() {
        return Map.of(
                new Page("GET", "/healthz/ready"),
                _ -> ready(),
                new Page("GET", "/metrics"),
                _ -> new Reply(200, Meters.CONTENT_TYPE, meters.text()),
                new Page("GET", "/problems"),
                _ -> Reply.json(Json.of(problems.get().stream()
                        .map(problem -> Map.of(
                                "about", problem.about().name().toLowerCase(Locale.ROOT),
                                "severity", problem.severity().name(),
                                "problem", problem.sentence()))
                        .toList())),
                new Page("GET", "/config"),
                _ -> Reply.json(ConfigDump.of(inForce.get().plan(), settings)),
                new Page("GET", "/explain"),
                query -> new OutboundExplanation(inForce.get(), hosts, settings, id).of(query),
                new Page("GET", "/explain-inbound"),
                query -> new InboundExplanation(inForce.get().plan(), settings).of(query),
                new Page("POST", "/drain"),
                _ -> startDraining());
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
