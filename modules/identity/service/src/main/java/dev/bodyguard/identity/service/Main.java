package dev.bodyguard.identity.service;

import dev.bodyguard.service.Admin;
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
        Lifecycle.service("identity", Settings.USAGE, args, Settings::from, Main::start);
    }

    private static String start(Settings settings, Running running) throws IOException {
        var place = settings.place();
        place.requireFree();
        var clock = InstantSource.system();
        var metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        var events = Events.all(
                List.of(new LoggedEvents(System.getLogger("dev.bodyguard.identity")), new CountedEvents(metrics)));

        var state = running.open(MeshState.open(
                settings.state(), settings.trustDomain(), settings.lifetimes(), clock, new SecureRandom()));
        for (var service : MeshState.SERVICES) {
            state.admitService(service);
        }
        var server = running.open(IdentityServer.start(place.host(), place.port(), state, events, clock));
        var admin = running.open(place.admin(new Admin.Answers(Optional::empty, metrics::scrape, Map.of())));
        return "identity " + server.address() + ", admin " + place.host() + ":" + admin.port() + "; state in "
                + settings.state();
    }
}
