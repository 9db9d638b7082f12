package dev.bodyguard.discovery;

import dev.bodyguard.service.Admin;
import dev.bodyguard.service.Json;
import dev.bodyguard.service.Lifecycle;
import dev.bodyguard.service.Running;
import dev.bodyguard.source.files.Directory;
import dev.bodyguard.source.files.Recollection;
import dev.bodyguard.tracing.Tracing;
import dev.bodyguard.xds.server.ServerTls;
import dev.bodyguard.xds.server.TlsReload;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// The discovery service as a process of its own.
public final class Main {
    private Main() {}

    static void main(String[] args) throws InterruptedException {
        Lifecycle.service("discovery", ProcessSettings.USAGE, args, ProcessSettings::from, Main::start);
    }

    private static String start(ProcessSettings settings, Running running) throws IOException, InterruptedException {
        var service = settings.service();
        // What cannot work shall be told before anything has started.
        if (service.documents() instanceof From.Files(var directory)) {
            Directory.open(directory, Recollection.NONE).close();
        }
        settings.place().requireFree();
        var clock = InstantSource.system();
        var metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        var tracing = running.open(Tracing.start("bodyguard-discovery", System.getenv()));

        var reload = new TlsReload();
        var member = running.open(settings.membership().join("discovery", reload, clock));
        var discovery = running.open(Pipeline.start(
                service,
                settings.carriage(),
                ServerTls.of(member.svid()),
                metrics,
                tracing.tracer("dev.bodyguard.discovery"),
                _ -> {}));
        reload.into(discovery::reloadTls);
        var admin = running.open(settings.place()
                .admin(new Admin.Answers(
                        Optional::empty,
                        metrics::scrape,
                        Map.of(
                                "/problems",
                                () -> Json.array(Stream.concat(
                                        StateDump.problems(discovery),
                                        member.trouble().stream().map(late -> Json.problem("WARNING", late)))),
                                "/workloads",
                                () -> Json.array(StateDump.workloads(discovery))))));
        return settings.place().told("discovery", discovery.port(), admin) + "; documents from " + service.documents();
    }
}
