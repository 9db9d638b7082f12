package dev.bodyguard.source.kubernetes;

import dev.bodyguard.model.Document;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.io.IOException;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.ObjectMapper;

/// The cluster of the pod that this runs in, or of `KUBECONFIG`, watched.
///
/// Kinds that nobody has defined are waited for: they are read once somebody defines them, and their documents go with
/// the definition. While the API server is away everything stays as it was last read.
public final class Cluster implements AutoCloseable {
    private static final int PATIENCE_MS = 10_000;
    /// What comes within a moment is told together.
    private static final long TOGETHER_MS = 10;

    private final KubernetesClient client;
    private final Events events;

    // Guarded by the lock.
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition something = lock.newCondition();
    private final Contents contents = new Contents();
    private final Map<Kind, Defined> defined = new HashMap<>();
    private final Set<Kind> unlisted = new HashSet<>(Set.of(Kind.PODS, Kind.SERVICES, Kind.SLICES, Kind.DEFINITIONS));
    private final Map<Kind, String> lost = new LinkedHashMap<>();
    private final Set<String> leftOut = new HashSet<>();
    private boolean changed;
    private boolean closed;
    private boolean told;
    private List<Watched<?>> always = List.of();

    private final Statuses statuses;

    /// @param hasStatus whether a status can be written
    private record Defined(String version, boolean hasStatus, Watched<?> watched) {}

    private Cluster(KubernetesClient client, Events events) {
        this.client = client;
        this.events = events;
        this.statuses = Statuses.start(client, this::target, events, InstantSource.system());
    }

    /// Begins to read.
    public static Cluster open(Events events) {
        return open(
                new KubernetesClientBuilder()
                        .withConfig(new ConfigBuilder()
                                .withConnectionTimeout(PATIENCE_MS)
                                .withRequestTimeout(PATIENCE_MS)
                                // Whoever asks tries again, and says so.
                                .withRequestRetryBackoffLimit(0)
                                .withWatchReconnectLimit(0)
                                .build())
                        .withKubernetesSerialization(asWritten())
                        .build(),
                events);
    }

    /// Every object as the API server writes it: nothing is lost in types that know only some of its fields.
    static KubernetesSerialization asWritten() {
        var serialization = new KubernetesSerialization(new ObjectMapper(), false);
        serialization.registerKubernetesResource(Status.class);
        return serialization;
    }

    static Cluster open(KubernetesClient client, Events events) {
        var cluster = new Cluster(client, events);
        cluster.always = List.of(
                cluster.watch(Kind.PODS, "v1", Pod::of, new In<>(cluster.contents.pods)),
                cluster.watch(Kind.SLICES, "v1", Slice::of, new In<>(cluster.contents.slices)),
                cluster.watch(
                        Kind.SERVICES,
                        "v1",
                        object -> new Service(Selection.of(object), Authored.document(object)),
                        cluster.new Services()),
                cluster.watch(Kind.DEFINITIONS, "v1", Definition::of, cluster.new Definitions()));
        return cluster;
    }

    private record Service(Selection selection, Document document) {}

    /// The first call answers everything there is, once all of it has been read; later ones wait until that has
    /// changed.
    ///
    /// @throws IOException if it was closed
    public Changes next() throws IOException, InterruptedException {
        lock.lockInterruptibly();
        try {
            while (true) {
                while (!closed && (!unlisted.isEmpty() || !changed)) {
                    something.await();
                }
                if (closed) {
                    throw new IOException("closed");
                }
                if (told) {
                    var _ = something.await(TOGETHER_MS, TimeUnit.MILLISECONDS);
                }
                changed = false;
                var changes = contents.difference();
                if (!told || !changes.isEmpty()) {
                    told = true;
                    return changes;
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /// Says in a document's status how it fares, soon, and where its kind has one.
    public void report(Verdict verdict) {
        statuses.write(verdict);
    }

    private Statuses.@Nullable Target target(String key) {
        var parts = key.split("/", -1);
        if (parts.length != 4) {
            return null;
        }
        lock.lock();
        try {
            for (var entry : defined.entrySet()) {
                var kind = entry.getKey();
                if (kind.group().equals(parts[0]) && kind.name().equals(parts[1]) && entry.getValue().hasStatus) {
                    var document = contents.document(kind, parts[2] + "/" + parts[3]);
                    return document == null
                            ? null
                            : new Statuses.Target(
                                    kind,
                                    entry.getValue().version,
                                    document.namespace(),
                                    document.name(),
                                    document.generation());
                }
            }
            return null;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        statuses.close();
        lock.lock();
        try {
            closed = true;
            something.signalAll();
            always.forEach(Watched::close);
            defined.values().forEach(one -> one.watched.close());
        } finally {
            lock.unlock();
        }
        client.close();
    }

    /// Turns an object into what is kept of it.
    private interface Reader<T> {
        @Nullable
        T read(GenericKubernetesResource object) throws Unfit;
    }

    /// Where that is kept. Called with the lock.
    private interface Kept<T> {
        void replace(Map<String, T> all);

        void put(String key, T object);

        void remove(String key);
    }

    private <T> Watched<T> watch(Kind kind, String version, Reader<T> reader, Kept<T> kept) {
        return Watched.start(client, kind, version, new Watched.Reading<>() {
            @Override
            public @Nullable T kept(GenericKubernetesResource object) {
                return read(kind, reader, object);
            }

            @Override
            public void listed(Map<String, T> all) {
                change(() -> {
                    kept.replace(all);
                    unlisted.remove(kind);
                });
            }

            @Override
            public void put(String key, T object) {
                change(() -> kept.put(key, object));
            }

            @Override
            public void removed(String key) {
                change(() -> kept.remove(key));
            }

            @Override
            public void lost(String why) {
                change(() -> {
                    if (!lost.containsValue(why)) {
                        events.lost(kind.fullName(), why);
                    }
                    lost.put(kind, why);
                });
            }

            @Override
            public void current() {
                change(() -> found(kind));
            }
        });
    }

    private void found(Kind kind) {
        if (lost.remove(kind) != null && lost.isEmpty()) {
            events.back();
        }
    }

    private void change(Runnable what) {
        lock.lock();
        try {
            if (!closed) {
                what.run();
                changed = true;
                something.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    private <T> @Nullable T read(Kind kind, Reader<T> reader, GenericKubernetesResource object) {
        var name = kind.name() + " " + Watched.key(object);
        try {
            var read = reader.read(object);
            lock.lock();
            try {
                leftOut.remove(name);
            } finally {
                lock.unlock();
            }
            return read;
        } catch (Unfit unfit) {
            leftOut(name, unfit.why());
        } catch (RuntimeException defect) {
            leftOut(name, "it cannot be read, by a defect here: " + defect);
        }
        return null;
    }

    private void leftOut(String name, String why) {
        lock.lock();
        try {
            if (leftOut.add(name)) {
                events.leftOut(name, why);
            }
        } finally {
            lock.unlock();
        }
    }

    private record In<T>(Map<String, T> map) implements Kept<T> {
        @Override
        public void replace(Map<String, T> all) {
            map.clear();
            map.putAll(all);
        }

        @Override
        public void put(String key, T object) {
            map.put(key, object);
        }

        @Override
        public void remove(String key) {
            map.remove(key);
        }
    }

    private final class Services implements Kept<Service> {
        @Override
        public void replace(Map<String, Service> all) {
            var documents = new HashMap<String, Document>();
            contents.services.clear();
            all.forEach((key, service) -> {
                contents.services.put(key, service.selection);
                documents.put(key, service.document);
            });
            contents.replace(Kind.SERVICES, documents);
        }

        @Override
        public void put(String key, Service service) {
            contents.services.put(key, service.selection);
            contents.put(Kind.SERVICES, key, service.document);
        }

        @Override
        public void remove(String key) {
            contents.services.remove(key);
            contents.remove(Kind.SERVICES, key);
        }
    }

    private final class Documents implements Kept<Document> {
        private final Kind kind;

        Documents(Kind kind) {
            this.kind = kind;
        }

        @Override
        public void replace(Map<String, Document> all) {
            if (defined.containsKey(kind)) {
                contents.replace(kind, all);
            }
        }

        @Override
        public void put(String key, Document document) {
            if (defined.containsKey(kind)) {
                contents.put(kind, key, document);
            }
        }

        @Override
        public void remove(String key) {
            contents.remove(kind, key);
        }
    }

    /// Which kinds there are: reading begins and ends with their definitions.
    private final class Definitions implements Kept<Definition> {
        @Override
        public void replace(Map<String, Definition> all) {
            for (var kind : Kind.DEFINED) {
                var definition = all.get(kind.fullName());
                if (definition == null) {
                    end(kind);
                } else {
                    begin(definition);
                }
            }
        }

        @Override
        public void put(String key, Definition definition) {
            begin(definition);
        }

        @Override
        public void remove(String key) {
            Kind.DEFINED.stream().filter(kind -> kind.fullName().equals(key)).forEach(this::end);
        }

        private void begin(Definition definition) {
            var kind = definition.kind();
            var version = definition.version();
            var before = defined.get(kind);
            if (before != null && before.version.equals(version)) {
                defined.put(kind, new Defined(version, definition.hasStatus(), before.watched));
                return;
            }
            if (before == null) {
                unlisted.add(kind);
            } else {
                before.watched.close();
            }
            var watched = watch(kind, version, Authored::document, new Documents(kind));
            defined.put(kind, new Defined(version, definition.hasStatus(), watched));
            events.watching(kind.fullName() + "/" + version);
        }

        private void end(Kind kind) {
            var before = defined.remove(kind);
            if (before != null) {
                before.watched.close();
                contents.forget(kind);
                unlisted.remove(kind);
                found(kind);
                events.forgotten(kind.fullName());
            }
        }
    }

    /// The definition of a kind that is read.
    ///
    /// @param version in which it is read
    /// @param hasStatus whether that version has the subresource `status`, where alone it can be written
    private record Definition(Kind kind, String version, boolean hasStatus) {
        static @Nullable Definition of(GenericKubernetesResource object) {
            var kind = Kind.DEFINED.stream()
                    .filter(one -> one.fullName().equals(object.getMetadata().getName()))
                    .findFirst()
                    .orElse(null);
            if (kind == null || !isEstablished(object)) {
                return null;
            }
            var served = Tree.of(object).items("spec", "versions").stream()
                    .filter(version -> version.is("served"))
                    .filter(version -> !version.text("name").isEmpty())
                    .toList();
            // One that nobody here understands is read all the same, so that its author is told.
            return kind.versions().stream()
                    .flatMap(name -> served.stream()
                            .filter(version -> version.text("name").equals(name)))
                    .findFirst()
                    .or(() -> served.stream().findFirst())
                    .map(version -> new Definition(
                            kind,
                            version.text("name"),
                            version.at("subresources", "status").value() != null))
                    .orElse(null);
        }

        private static boolean isEstablished(GenericKubernetesResource object) {
            return Tree.of(object).items("status", "conditions").stream()
                    .anyMatch(one -> Objects.equals(one.text("type"), "Established")
                            && Objects.equals(one.text("status"), "True"));
        }
    }
}
