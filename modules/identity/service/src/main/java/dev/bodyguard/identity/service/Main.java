package dev.bodyguard.identity.service;

import dev.bodyguard.identity.authority.Authority;
import dev.bodyguard.service.Admin;
import dev.bodyguard.service.HostPort;
import dev.bodyguard.service.Lifecycle;
import dev.bodyguard.service.Running;
import dev.bodyguard.tracing.Tracing;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/// The identity service as a process of its own.
public final class Main {
    private static final InstantSource CLOCK = InstantSource.system();

    private Main() {}

    static void main(String[] args) throws InterruptedException {
        Lifecycle.service("identity", Settings.USAGE, args, Settings::from, Main::start);
    }

    private static String start(Settings settings, Running running) throws IOException, InterruptedException {
        settings.place().requireFree();
        var metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        var tracing = running.open(Tracing.start("bodyguard-identity", System.getenv()));
        var events = Events.all(List.of(
                new LoggedEvents(System.getLogger("dev.bodyguard.identity")),
                new CountedEvents(metrics),
                new TracedEvents(tracing.tracer("dev.bodyguard.identity"))));
        return switch (settings.keeper()) {
            case FOLDER -> {
                var state = running.open(MeshState.open(
                        settings.state(), settings.trustDomain(), settings.lifetimes(), CLOCK, new SecureRandom()));
                for (var service : MeshState.SERVICES) {
                    state.admitService(service);
                }
                yield serve(settings, running, state.authority(), state.tokens(), events, Optional::empty, metrics)
                        + "; state in " + settings.state();
            }
            case SECRET -> {
                var state = running.open(ClusterState.open(
                        settings.state(),
                        settings.trustDomain(),
                        settings.lifetimes(),
                        events,
                        CLOCK,
                        new SecureRandom()));
                yield serve(settings, running, state.authority(), state.tokens(), events, state::unready, metrics)
                        + "; root in " + ClusterState.WHERE;
            }
        };
    }

    private static String serve(
            Settings settings,
            Running running,
            Authority authority,
            Tokens tokens,
            Events events,
            Supplier<Optional<String>> unready,
            PrometheusMeterRegistry metrics)
            throws IOException {
        var place = settings.place();
        var server = running.open(IdentityServer.start(place.host(), place.port(), authority, tokens, events, CLOCK));
        var admin = running.open(place.admin(new Admin.Answers(unready, metrics::scrape, Map.of())));
        return "identity " + server.address() + ", admin " + HostPort.of(place.host(), admin.port());
    }
}
