package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.sidecar.AdminServer.Page;
import dev.bodyguard.proxy.sidecar.AdminServer.Query;
import dev.bodyguard.proxy.sidecar.AdminServer.Reply;
import dev.bodyguard.telemetry.record.Meters;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;

/// What the kubelet and Prometheus ask a pod's sidecar, port by port.
record PodPages(Readiness readiness, Meters meters, AppMetrics appMetrics, Prober prober) {
    /// 15021
    Map<Page, Function<Query, Reply>> health() {
        return Map.of(new Page("GET", "/healthz/ready"), _ -> ready());
    }

    private Reply ready() {
        var missing = readiness.missing();
        return missing.isEmpty() ? Reply.text(200, "ready\n") : Reply.text(503, String.join("\n", missing) + "\n");
    }

    /// 15090
    Map<Page, Function<Query, Reply>> stats() {
        Function<Query, Reply> own = _ -> new Reply(200, Meters.CONTENT_TYPE, meters.text());
        return Map.of(new Page("GET", "/stats/prometheus"), own, new Page("GET", "/metrics"), own);
    }

    /// 15020; they take as long as the app does.
    Map<Page, Function<Query, Reply>> ofApp(Map<String, Probe> probes) {
        var pages = new HashMap<Page, Function<Query, Reply>>();
        pages.put(
                new Page("GET", "/metrics"),
                _ -> new Reply(200, Meters.CONTENT_TYPE, appMetrics.merged(meters.text())));
        pages.put(new Page("GET", "/healthz/ready"), _ -> ready());
        probes.forEach((path, probe) -> pages.put(new Page("GET", path), _ -> prober.ask(probe)));
        return Map.copyOf(pages);
    }
}
