package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.sidecar.AdminServer.Page;
import dev.bodyguard.proxy.sidecar.AdminServer.Query;
import dev.bodyguard.proxy.sidecar.AdminServer.Reply;
import dev.bodyguard.telemetry.record.Meters;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.function.Function;

/// What the kubelet and Prometheus ask a pod's sidecar, port by port.
record PodPages(Readiness readiness, Meters meters, AppMetrics appMetrics, Prober prober) {
    /// How many of the kubelet's probes and Prometheus' questions to the app are under way at a time.
    private static final int QUESTIONS = 4;

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

    /// Whose threads answer at 15020, by the path. Hooks have their own, as many as there are: one may take minutes, in
    /// which liveness is asked on.
    static Function<String, Executor> appThreads() {
        var questions = Executors.newFixedThreadPool(QUESTIONS, daemons("app-questions-"));
        var hooks = Executors.newCachedThreadPool(daemons("app-hooks-"));
        return path -> Probe.isHook(path) ? hooks : questions;
    }

    private static ThreadFactory daemons(String prefix) {
        return Thread.ofPlatform().name(prefix, 0).daemon(true).factory();
    }
}
