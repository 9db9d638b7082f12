package dev.bodyguard.config;

import dev.bodyguard.dialect.Dialect;
import dev.bodyguard.dialect.Dialects;
import dev.bodyguard.identity.client.MeshChannel;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Problem;
import dev.bodyguard.xds.client.AdsClient;
import dev.bodyguard.xds.compile.Compiler;
import dev.bodyguard.xds.server.AggregatedDiscovery;
import dev.bodyguard.xds.server.Capacity;
import dev.bodyguard.xds.server.Client;
import dev.bodyguard.xds.server.ClientState;
import dev.bodyguard.xds.server.GrpcServer;
import dev.bodyguard.xds.server.Peer;
import dev.bodyguard.xds.server.ServerTls;
import dev.bodyguard.xds.server.Views;
import dev.bodyguard.xds.snapshot.Heard;
import dev.bodyguard.xds.snapshot.Limits;
import dev.bodyguard.xds.snapshot.TypeUrls;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.micrometer.core.instrument.MeterRegistry;
import io.opentelemetry.api.trace.Tracer;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Function;

/// Config's arrows: discovery → dialects → mesh → compiler → ADS.
public final class Pipeline implements AutoCloseable {
    /// A proxy remembers 1,024 hosts, each with a few clusters.
    private static final Limits OF_A_PROXY = new Limits(16_384, 512, 16, 1 << 20);

    private final AdsClient discovery;
    private final FollowingDiscovery following;
    private final Mesher mesher;
    private final AggregatedDiscovery streams;
    private final Absences absences;
    private final GrpcServer server;
    private final Reporter reporter;

    private Pipeline(
            AdsClient discovery,
            FollowingDiscovery following,
            Mesher mesher,
            AggregatedDiscovery streams,
            Absences absences,
            GrpcServer server,
            Reporter reporter) {
        this.discovery = discovery;
        this.following = following;
        this.mesher = mesher;
        this.streams = streams;
        this.absences = absences;
        this.server = server;
        this.reporter = reporter;
    }

    /// Listens and begins to follow discovery. Proxies are answered once everything is known.
    ///
    /// @param toDiscovery how discovery proves itself and we to it
    /// @param tracer of its own work
    /// @param clock by which whoever is gone is forgotten, and is told how long discovery has been silent
    /// @throws IOException when the port is taken, with a sentence for people
    public static Pipeline start(
            Settings settings,
            GrpcServer.Carriage carriage,
            ServerTls tls,
            MeshChannel toDiscovery,
            MeterRegistry metrics,
            Tracer tracer,
            InstantSource clock)
            throws IOException {
        var events = new Observed(metrics, tracer);
        var compilerSettings =
                new dev.bodyguard.xds.compile.Settings(settings.trustDomain(), settings.outbound(), settings.callers());
        return start(
                settings,
                carriage,
                tls,
                toDiscovery,
                Dialects.all(),
                mesh -> new Compiler(mesh, compilerSettings),
                events,
                clock);
    }

    private static Pipeline start(
            Settings settings,
            GrpcServer.Carriage carriage,
            ServerTls tls,
            MeshChannel toDiscovery,
            Dialect dialect,
            Function<Mesh, dev.bodyguard.xds.compile.Resources> compiler,
            Events events,
            InstantSource clock)
            throws IOException {
        var served = new Object() {
            volatile Runnable publish = () -> {};
        };
        var mesher = new Mesher(
                dialect,
                compiler,
                () -> served.publish.run(),
                new LastGood(settings.lastGood(), events),
                events,
                Pace.ORDINARY);
        var absences = new Absences(clock);
        var proxies = new Proxies(mesher, new Admission(settings.trustDomain()), absences, events);
        var streams = new AggregatedDiscovery(proxies, proxies, OF_A_PROXY, Capacity.ordinary());
        served.publish = streams::publish;
        var server = GrpcServer.start(
                carriage, settings.listen().getHostString(), settings.listen().getPort(), tls, List.of(streams));
        mesher.start();
        var feed = new Feed(mesher::tell);
        var following = new FollowingDiscovery(events, feed, clock);
        var discovery = new AdsClient(
                () -> toDiscovery.to(settings.discovery()).build(),
                Node.newBuilder().setId("config").setCluster("bodyguard-system").build(),
                feed,
                following);
        discovery.subscribeToAll(TypeUrls.DOCUMENT);
        discovery.subscribeToAll(TypeUrls.WORKLOAD);
        discovery.start();
        var reporter =
                Reporter.start(() -> toDiscovery.to(settings.discovery()).build(), mesher::standings, streams::clients);
        return new Pipeline(discovery, following, mesher, streams, absences, server, reporter);
    }

    /// Where proxies connect.
    public int port() {
        return server.port();
    }

    /// Everything is known once, and proxies are answered.
    public boolean ready() {
        return mesher.isReady();
    }

    /// Why proxies are not answered; empty once they are.
    public Optional<String> unready() {
        return ready() ? Optional.empty() : Optional.of("config does not know all documents and workloads yet");
    }

    /// Why edits do not arrive, where discovery does not answer; empty while it does.
    public Optional<String> outage() {
        return following.outage();
    }

    /// What is wrong with the documents, and between them.
    public List<Problem> problems() {
        return mesher.problems();
    }

    /// The proxies that are being served, and how far each is.
    public List<ClientState> proxies() {
        return streams.clients();
    }

    /// The outsiders that were served and are not connected any more.
    List<Absences.Absent> absent() {
        return absences.all();
    }

    /// New connections see these.
    public void reloadTls(ServerTls tls) {
        server.reloadTls(tls);
    }

    @Override
    public void close() {
        reporter.close();
        streams.close();
        mesher.close();
        server.close();
        discovery.close();
    }

    /// The proxies' streams: who may see what, and what they say to it.
    private static final class Proxies implements Views, dev.bodyguard.xds.server.Events {
        private final Mesher mesher;
        private final Admission admission;
        private final Absences absences;
        private final Events events;
        private final ConcurrentMap<Long, String> connected = new ConcurrentHashMap<>();

        Proxies(Mesher mesher, Admission admission, Absences absences, Events events) {
            this.mesher = mesher;
            this.admission = admission;
            this.absences = absences;
            this.events = events;
        }

        @Override
        public View of(Node node, Peer peer) {
            return switch (admission.decide(node, peer)) {
                case Admission.Refused(var why) -> new Refuse(why);
                case Admission.Admitted(var proxy) -> {
                    try {
                        mesher.awaitReady();
                    } catch (InterruptedException stopped) {
                        Thread.currentThread().interrupt();
                    }
                    var generation = mesher.current();
                    yield generation == null ? new Refuse("config is going away") : new Serve(generation.view(proxy));
                }
            };
        }

        @Override
        public void connected(Client client) {
            connected.put(client.stream(), client.node().getId());
            absences.came(client);
            events.proxyConnected(client.toString(), connected.size());
        }

        @Override
        public void disconnected(Client client, String why) {
            connected.remove(client.stream());
            absences.went(client, why);
            events.proxyGone(client, why, connected.size());
        }

        @Override
        public void refused(Client client, String why) {
            events.proxyRefused(client.toString(), why);
        }

        @Override
        public void heldBack(Client client, int waitingBytes) {
            events.proxyHeldBack(client.toString(), waitingBytes);
        }

        @Override
        public void pushing(Client client, String generation, int responses) {
            events.proxyPushed(client, generation, responses);
        }

        @Override
        public void acked(Client client, Heard.Acked what) {
            var newest = mesher.current();
            events.proxyAcked(
                    client,
                    what,
                    newest != null && what.generation().equals(Long.toString(newest.number()))
                            ? Duration.ofNanos(System.nanoTime() - newest.publishedAt())
                            : null);
        }

        @Override
        public void nacked(Client client, Heard.Nacked what) {
            events.proxyNacked(client, what);
        }

        @Override
        public void failed(Client client, Throwable cause) {
            events.failed("serving " + client, cause);
        }
    }
}
