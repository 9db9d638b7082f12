package dev.bodyguard.config;

import dev.bodyguard.service.Admin;
import dev.bodyguard.service.Json;
import dev.bodyguard.service.Lifecycle;
import dev.bodyguard.service.Running;
import dev.bodyguard.tracing.Tracing;
import dev.bodyguard.xds.server.ServerTls;
import dev.bodyguard.xds.server.TlsReload;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.InstantSource;
import java.util.Map;
import java.util.stream.Stream;

/// The config service as a process of its own.
public final class Main {
    private static final System.Logger LOG = System.getLogger("dev.bodyguard.config");

    private Main() {}

    static void main(String[] args) throws InterruptedException {
        Lifecycle.service("config", ProcessSettings.USAGE, args, ProcessSettings::from, Main::start);
    }

    private static String start(ProcessSettings settings, Running running) throws IOException, InterruptedException {
        var service = settings.service();
        settings.place().requireFree();
        var clock = InstantSource.system();
        var metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        var tracing = running.open(Tracing.start("bodyguard-config", System.getenv()));

        var reload = new TlsReload();
        var member = running.open(settings.membership().join("config", reload, clock));
        var config = running.open(Pipeline.start(
                service,
                settings.carriage(),
                ServerTls.of(member.svid()),
                member.to("discovery", why -> LOG.log(Level.ERROR, "discovery is not who it should be: " + why)),
                metrics,
                tracing.tracer("dev.bodyguard.config"),
                clock));
        reload.into(config::reloadTls);
        var admin = running.open(settings.place()
                .admin(new Admin.Answers(
                        config::unready,
                        metrics::scrape,
                        Map.of(
                                "/problems",
                                () -> Json.array(Stream.concat(
                                        StateDump.problems(config),
                                        member.trouble().stream().map(late -> Json.problem("WARNING", late)))),
                                "/proxies",
                                () -> Json.array(StateDump.proxies(config))))));
        return settings.place().told("xds", config.port(), admin) + "; following discovery at " + service.discovery();
    }
}
