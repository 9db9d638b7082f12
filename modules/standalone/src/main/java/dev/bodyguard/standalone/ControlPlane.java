package dev.bodyguard.standalone;

import dev.bodyguard.discovery.From;
import dev.bodyguard.identity.authority.Authority;
import dev.bodyguard.identity.client.MeshChannel;
import dev.bodyguard.identity.service.ClusterState;
import dev.bodyguard.identity.service.CountedEvents;
import dev.bodyguard.identity.service.Events;
import dev.bodyguard.identity.service.IdentityServer;
import dev.bodyguard.identity.service.LoggedEvents;
import dev.bodyguard.identity.service.MeshState;
import dev.bodyguard.identity.service.ServerSvid;
import dev.bodyguard.identity.service.Tokens;
import dev.bodyguard.identity.service.TracedEvents;
import dev.bodyguard.model.Document;
import dev.bodyguard.service.Admin;
import dev.bodyguard.service.FreePort;
import dev.bodyguard.service.Json;
import dev.bodyguard.service.Running;
import dev.bodyguard.source.files.Directory;
import dev.bodyguard.source.files.Recollection;
import dev.bodyguard.standalone.Settings.Port;
import dev.bodyguard.telemetry.service.TelemetryService;
import dev.bodyguard.tracing.Tracing;
import dev.bodyguard.xds.server.GrpcServer;
import dev.bodyguard.xds.server.ServerTls;
import dev.bodyguard.xds.server.TlsReload;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// The wiring: every service, in the order in which they need each other, and back.
final class ControlPlane implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger("dev.bodyguard.run");
    private static final Duration LONGEST_START = Duration.ofSeconds(30);

    private final Running running = new Running();
    private final Map<String, String> addresses = new LinkedHashMap<>();

    private ControlPlane() {}

    /// Starts everything and waits until all of it is ready; then, and not before, sidecars can find it.
    ///
    /// @throws IOException with one sentence for people
    static ControlPlane start(Settings settings) throws IOException, InterruptedException {
        var plane = new ControlPlane();
        try {
            plane.startAll(settings);
            return plane;
        } catch (IOException | RuntimeException | InterruptedException failed) {
            plane.close();
            throw failed;
        }
    }

    private void startAll(Settings settings) throws IOException, InterruptedException {
        var clock = InstantSource.system();
        var metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        // What cannot work shall be told before anything has started: no folder, or a port that is taken.
        if (settings.documents() instanceof From.Files(var directory)) {
            Directory.open(directory, Recollection.NONE).close();
        }
        var folder = open(StateFolder.claim(settings.state()));
        for (Port port : Port.values()) {
            FreePort.require(settings.host(), settings.port(port), port.flag());
        }

        var tracing = open(Tracing.start("bodyguard", System.getenv()));
        var identityEvents = Events.all(List.of(
                new LoggedEvents(System.getLogger("dev.bodyguard.identity")),
                new CountedEvents(metrics),
                new TracedEvents(tracing.tracer("dev.bodyguard.identity"))));
        var mesh = mesh(settings, folder.path(), identityEvents, clock);
        var identity = open(IdentityServer.start(
                settings.host(), settings.port(Port.IDENTITY), mesh.authority(), mesh.tokens(), identityEvents, clock));

        var discoverySvid = new TlsReload();
        var ofDiscovery = open(ServerSvid.start(mesh.authority(), "discovery", identityEvents, clock, discoverySvid));
        var discovery = open(dev.bodyguard.discovery.Pipeline.start(
                dev.bodyguard.discovery.Settings.of(
                        settings.documents(),
                        at(settings, Port.DISCOVERY),
                        settings.trustDomain(),
                        folder.path().resolve("discovery").resolve("workloads")),
                GrpcServer.Carriage.by(settings.transport()),
                ServerTls.of(ofDiscovery.get()),
                metrics,
                tracing.tracer("dev.bodyguard.discovery"),
                mesh.onDocuments()));
        discoverySvid.into(discovery::reloadTls);

        var configSvid = new TlsReload();
        var ofConfig = open(ServerSvid.start(mesh.authority(), "config", identityEvents, clock, configSvid));
        var config = open(dev.bodyguard.config.Pipeline.start(
                new dev.bodyguard.config.Settings(
                        settings.within(discovery.port()),
                        at(settings, Port.XDS),
                        settings.trustDomain(),
                        settings.outbound(),
                        settings.peers(),
                        folder.path().resolve("config").resolve("last-good")),
                GrpcServer.Carriage.by(settings.transport()),
                ServerTls.of(ofConfig.get()),
                new MeshChannel(
                        ServerSvid.id(settings.trustDomain(), "discovery"),
                        mesh.authority()::bundle,
                        ofConfig,
                        refused -> LOG.log(Level.ERROR, "discovery is not who it should be: " + refused.sentence()),
                        clock),
                metrics,
                tracing.tracer("dev.bodyguard.config"),
                clock));
        configSvid.into(config::reloadTls);

        var ofTelemetry = open(ServerSvid.start(mesh.authority(), "telemetry", identityEvents, clock, _ -> {}));
        var telemetry = open(TelemetryService.start(
                new dev.bodyguard.telemetry.service.Settings(
                        settings.host(),
                        settings.port(Port.TELEMETRY),
                        settings.port(Port.OTLP),
                        settings.traceExports()),
                ofTelemetry,
                metrics,
                new dev.bodyguard.telemetry.service.LoggedEvents(
                        System.getLogger("dev.bodyguard.telemetry"), tracing.tracer("dev.bodyguard.telemetry")),
                clock));
        var admin = open(Admin.start(
                settings.host(),
                settings.port(Port.ADMIN),
                new Admin.Answers(
                        () -> config.unready().or(mesh.unready()),
                        metrics::scrape,
                        Map.of(
                                "/problems",
                                () -> Json.array(Stream.concat(
                                        dev.bodyguard.discovery.StateDump.problems(discovery),
                                        dev.bodyguard.config.StateDump.problems(config))),
                                "/proxies",
                                () -> Json.array(dev.bodyguard.config.StateDump.proxies(config)),
                                "/workloads",
                                () -> Json.array(dev.bodyguard.discovery.StateDump.workloads(discovery))))));
        awaitReady(config);

        addresses.put("identity", settings.at(identity.port()));
        addresses.put("xds", settings.at(config.port()));
        addresses.put("discovery", settings.at(discovery.port()));
        addresses.put("telemetry", settings.at(telemetry.port()));
        addresses.put("otlp", settings.at(telemetry.otlpPort()));
        addresses.put("admin", settings.at(admin.port()));
        folder.announce(addresses);
    }

    /// What is where, by service.
    Map<String, String> addresses() {
        return addresses;
    }

    @Override
    public void close() {
        running.close();
    }

    private <T extends AutoCloseable> T open(T service) {
        return running.open(service);
    }

    private static void awaitReady(dev.bodyguard.config.Pipeline config) throws IOException, InterruptedException {
        long until = System.nanoTime() + LONGEST_START.toNanos();
        while (!config.ready()) {
            if (System.nanoTime() - until > 0) {
                throw new IOException("config did not hear from discovery within " + LONGEST_START.toSeconds()
                        + " s; the lines above say why");
            }
            Thread.sleep(5);
        }
    }

    private static InetSocketAddress at(Settings settings, Port port) {
        return InetSocketAddress.createUnresolved(settings.host(), settings.port(port));
    }

    /// What identity stands on.
    ///
    /// @param onDocuments hears of all documents whenever one changes
    /// @param unready why members cannot join yet; empty if they can
    private record Mesh(
            Authority authority,
            Tokens tokens,
            Consumer<List<Document>> onDocuments,
            Supplier<Optional<String>> unready) {}

    private Mesh mesh(Settings settings, Path folder, Events events, InstantSource clock)
            throws IOException, InterruptedException {
        return switch (settings.keeper()) {
            case FOLDER -> {
                var state = open(MeshState.open(
                        folder, settings.trustDomain(), settings.lifetimes(), clock, new SecureRandom()));
                yield new Mesh(state.authority(), state.tokens(), admitting(state), Optional::empty);
            }
            case SECRET -> {
                var state = open(ClusterState.open(
                        folder, settings.trustDomain(), settings.lifetimes(), events, clock, new SecureRandom()));
                yield new Mesh(state.authority(), state.tokens(), _ -> {}, state::unready);
            }
        };
    }

    /// Tokens for everyone whom the documents speak of. Runs on discovery's reader alone, once it is up.
    private static Consumer<List<Document>> admitting(MeshState state) {
        var told = ConcurrentHashMap.<Accounts.Account>newKeySet();
        return documents -> {
            for (var account : Accounts.of(documents)) {
                try {
                    state.admit(account.namespace(), account.name());
                } catch (IllegalArgumentException refused) {
                    if (told.add(account)) {
                        LOG.log(Level.ERROR, String.valueOf(refused.getMessage()));
                    }
                } catch (IOException e) {
                    LOG.log(
                            Level.ERROR,
                            "no join token for service account " + account.namespace() + "/" + account.name() + ": "
                                    + e);
                }
            }
        };
    }
}
