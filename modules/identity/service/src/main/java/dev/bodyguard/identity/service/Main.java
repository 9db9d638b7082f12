package dev.bodyguard.identity.service;

import dev.bodyguard.service.Admin;
import dev.bodyguard.service.FreePort;
import dev.bodyguard.service.Keys;
import dev.bodyguard.service.Lifecycle;
import dev.bodyguard.service.Running;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The identity service as a process of its own.
public final class Main {
    private Main() {}

    static void main(String[] args) throws InterruptedException {
        Lifecycle.run(
                "bodyguard service identity",
                Settings.USAGE,
                args,
                () -> Settings.from(new Keys(System.getenv())),
                Main::start);
    }

    private static String start(Settings settings, Running running) throws IOException {
        FreePort.require(settings.host(), settings.port(), "BODYGUARD_IDENTITY_PORT");
        FreePort.require(settings.host(), settings.adminPort(), "BODYGUARD_ADMIN_PORT");
        var clock = InstantSource.system();
        var metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        var events = Events.all(
                List.of(new LoggedEvents(System.getLogger("dev.bodyguard.identity")), new CountedEvents(metrics)));

        var state = running.open(MeshState.open(
                settings.state(), settings.trustDomain(), settings.lifetimes(), clock, new SecureRandom()));
        for (var service : MeshState.SERVICES) {
            state.admitService(service);
        }
        var server = running.open(IdentityServer.start(settings.host(), settings.port(), state, events, clock));
        var admin = running.open(Admin.start(
                settings.host(), settings.adminPort(), new Admin.Answers(Optional::empty, metrics::scrape, Map.of())));
        return "identity " + server.address() + ", admin " + settings.host() + ":" + admin.port() + "; state in "
                + settings.state();
    }
}
