package dev.bodyguard.discovery;

import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.model.Document;
import dev.bodyguard.source.files.FileProblem;
import dev.bodyguard.source.files.Recollection;
import dev.bodyguard.xds.protocol.discovery.v1.Workload;
import dev.bodyguard.xds.server.AggregatedDiscovery;
import dev.bodyguard.xds.server.Client;
import dev.bodyguard.xds.server.ClientState;
import dev.bodyguard.xds.server.GrpcServer;
import dev.bodyguard.xds.server.Peer;
import dev.bodyguard.xds.server.Quota;
import dev.bodyguard.xds.server.ServerTls;
import dev.bodyguard.xds.server.Views;
import dev.bodyguard.xds.snapshot.Heard;
import io.micrometer.core.instrument.MeterRegistry;
import io.opentelemetry.api.trace.Tracer;
import java.io.IOException;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Discovery's arrows: directory or API server, and registrations, → catalogue → delta streams.
public final class Pipeline implements AutoCloseable {
    private final Source source;
    private final Catalogue catalogue;
    private final AggregatedDiscovery streams;
    private final GrpcServer server;
    private final Thread reader;

    private Pipeline(
            Source source, Catalogue catalogue, AggregatedDiscovery streams, GrpcServer server, Thread reader) {
        this.source = source;
        this.catalogue = catalogue;
        this.streams = streams;
        this.server = server;
        this.reader = reader;
    }

    /// Reads everything once, then serves.
    ///
    /// @param tracer of its own work
    /// @param documents hears all documents whenever one of them has changed, first before this returns; must not
    ///     block
    /// @throws IOException when the directory is not there or the port is taken, with a sentence for people
    public static Pipeline start(
            Settings settings,
            GrpcServer.Carriage carriage,
            ServerTls tls,
            MeterRegistry metrics,
            Tracer tracer,
            Consumer<List<Document>> documents)
            throws IOException, InterruptedException {
        var events = new Observed(metrics, tracer);
        var source = Source.open(settings.documents(), recollection(settings, events), events);
        try {
            var first = source.next();
            var memory = settings.memory() == null ? null : new Memory(settings.memory());
            var remembered = remembered(memory, events);

            var subscribers = new Served();
            var catalogue = new Catalogue(
                    new Leases(settings.lease(), settings.grace()),
                    settings.mostWorkloads(),
                    settings.mostWorkloadsPerAccount(),
                    new Churn(settings.mostWorkloadsPerAccount(), settings.registrationsPerSecond()),
                    memory,
                    subscribers,
                    events,
                    InstantSource.system());
            var streams = new AggregatedDiscovery(
                    (_, peer) -> view(settings.trustDomain(), peer, catalogue),
                    new Acknowledgements(catalogue, events));
            subscribers.streams = streams;
            catalogue.start(first, remembered);
            documents.accept(catalogue.authored());

            var registry = new RegistryService(
                    new Admission(settings.trustDomain()),
                    catalogue::tell,
                    // A workload that comes back may do so before its former stream is known to be broken.
                    new Quota(2L * settings.mostWorkloadsPerAccount()),
                    events);
            var server = GrpcServer.start(
                    carriage,
                    settings.listen().getHostString(),
                    settings.listen().getPort(),
                    tls,
                    List.of(
                            streams,
                            registry,
                            new VerdictService(peer -> isOurs(settings.trustDomain(), peer), source::report, events)));
            var reader = Thread.ofVirtual()
                    .name("discovery-source")
                    .unstarted(() -> follow(settings, source, catalogue, documents, events));
            reader.start();
            return new Pipeline(source, catalogue, streams, server, reader);
        } catch (IOException | RuntimeException | InterruptedException failed) {
            source.close();
            throw failed;
        }
    }

    private static Recollection recollection(Settings settings, Events events) {
        var memory = settings.memory();
        return memory != null && settings.documents() instanceof From.Files(var directory)
                ? new LastRead(memory.resolveSibling("last-read"), directory, events)
                : Recollection.NONE;
    }

    private static List<Workload> remembered(@Nullable Memory memory, Events events) throws InterruptedException {
        if (memory == null) {
            return List.of();
        }
        try {
            var all = memory.read();
            var answering = Memory.answering(all);
            if (!all.isEmpty()) {
                events.remembered(answering.size(), all.size() - answering.size());
            }
            return answering;
        } catch (IOException e) {
            events.memoryFailed(e);
            return List.of();
        }
    }

    /// Documents may hold what is not for everyone: only the control plane reads them.
    private static Views.View view(String trustDomain, Peer peer, Catalogue catalogue) {
        return isOurs(trustDomain, peer)
                ? new Views.Serve(catalogue.current())
                : new Views.Refuse("only services of namespace bodyguard-system may read discovery, this is " + peer);
    }

    private static boolean isOurs(String trustDomain, Peer peer) {
        for (String uri : peer.uris()) {
            try {
                var id = SpiffeId.parse(uri);
                if (id.trustDomain().equals(trustDomain) && "bodyguard-system".equals(id.namespace())) {
                    return true;
                }
            } catch (IllegalArgumentException _) {
                // not a SPIFFE id, so not one of ours
            }
        }
        return false;
    }

    private static void follow(
            Settings settings, Source source, Catalogue catalogue, Consumer<List<Document>> documents, Events events) {
        var known = new Authored();
        known.documents = catalogue.authored();
        try {
            while (true) {
                var changes = source.next();
                catalogue.tell(new Catalogue.SourceChanged(changes));
                documents.accept(known.after(changes));
            }
        } catch (IOException closed) {
            if (!"closed".equals(closed.getMessage())) {
                events.sourceLost(settings.documents().toString(), closed);
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    /// What is wrong with the files at this moment.
    public List<FileProblem> problems() {
        return catalogue.problems();
    }

    /// Who is registered at this moment.
    List<Workload> workloads() {
        return catalogue.registered();
    }

    /// Where subscribers and workloads connect.
    public int port() {
        return server.port();
    }

    /// New connections see these.
    public void reloadTls(ServerTls tls) {
        server.reloadTls(tls);
    }

    @Override
    public void close() throws IOException {
        source.close();
        reader.interrupt();
        streams.close();
        server.close();
        catalogue.close();
    }

    /// The documents as the reader's thread knows them.
    private static final class Authored {
        private List<Document> documents = List.of();

        List<Document> after(Source.Found changes) {
            var put = changes.put().stream().map(Document::key).collect(Collectors.toSet());
            documents = Stream.concat(
                            documents.stream()
                                    .filter(document -> !put.contains(document.key())
                                            && !changes.removed().contains(document.key())),
                            changes.put().stream())
                    .toList();
            return documents;
        }
    }

    /// The streams, once there are any.
    private static final class Served implements Catalogue.Subscribers {
        private volatile @Nullable AggregatedDiscovery streams;

        @Override
        public void publish() {
            var now = streams;
            if (now != null) {
                now.publish();
            }
        }

        @Override
        public Set<Long> streams() {
            var now = streams;
            return now == null
                    ? Set.of()
                    : now.clients().stream()
                            .map(ClientState::client)
                            .map(Client::stream)
                            .collect(Collectors.toSet());
        }
    }

    /// Tells the catalogue how far each subscriber is.
    private record Acknowledgements(Catalogue catalogue, Events events) implements dev.bodyguard.xds.server.Events {
        @Override
        public void acked(Client client, Heard.Acked what) {
            catalogue.tell(new Catalogue.Acknowledged(client.stream(), Long.parseLong(what.generation())));
        }

        @Override
        public void nacked(Client client, Heard.Nacked what) {
            events.refused(client.toString(), "it does not take " + what.names() + ": " + what.why());
        }

        @Override
        public void refused(Client client, String why) {
            events.refused(client.toString(), why);
        }

        @Override
        public void heldBack(Client client, int waitingBytes) {
            events.heldBack(client.toString(), waitingBytes);
        }

        @Override
        public void disconnected(Client client, String why) {
            catalogue.tell(new Catalogue.SubscriberGone(client.stream()));
        }
    }
}
