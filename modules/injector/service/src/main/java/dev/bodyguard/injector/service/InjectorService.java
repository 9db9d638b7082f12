package dev.bodyguard.injector.service;

import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.identity.spiffe.TrustBundle;
import dev.bodyguard.injector.decision.Injection;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.micrometer.core.instrument.MeterRegistry;
import io.opentelemetry.api.trace.Tracer;
import java.io.IOException;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The webhooks, and the API server's knowledge of them.
final class InjectorService implements AutoCloseable {
    private final WebhookServer server;
    private final CaBundle<?> injecting;
    private final CaBundle<?> warning;

    private InjectorService(WebhookServer server, CaBundle<?> injecting, CaBundle<?> warning) {
        this.server = server;
        this.injecting = injecting;
        this.warning = warning;
    }

    /// Listens, then tells the API server.
    ///
    /// @param svid certified for the webhooks' Service; asked at each handshake
    /// @param roots that it chains to
    static InjectorService start(
            Settings settings,
            KubernetesClient client,
            Supplier<@Nullable Svid> svid,
            Supplier<TrustBundle> roots,
            MeterRegistry metrics,
            Tracer tracer)
            throws IOException {
        var events = new LoggedEvents(System.getLogger("dev.bodyguard.injector"), metrics, tracer);
        var server = WebhookServer.start(
                settings.host(),
                settings.port(),
                svid,
                new Admission(
                        new Injection(settings.sidecar()),
                        new ClusterNamespaces(client),
                        new ClusterRevisions(client, settings.webhook())),
                events);
        return new InjectorService(
                server,
                CaBundle.start(client, Configuration.MUTATING, settings.webhook(), roots, events),
                CaBundle.start(client, Configuration.VALIDATING, settings.webhook(), roots, events));
    }

    int port() {
        return server.port();
    }

    /// Why no pod gets a sidecar; empty if they do. Warnings may be missing.
    Optional<String> unready() {
        return injecting.trouble();
    }

    /// There is a new SVID, perhaps of other roots.
    void renewed() {
        injecting.look();
        warning.look();
    }

    @Override
    public void close() {
        injecting.close();
        warning.close();
        server.close();
    }
}
