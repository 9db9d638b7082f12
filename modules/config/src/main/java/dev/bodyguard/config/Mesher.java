package dev.bodyguard.config;

import dev.bodyguard.dialect.Dialect;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Problem;
import dev.bodyguard.model.Workload;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Documents and workloads to a mesh, and the mesh to a generation: one thread that owns all of it. Others leave
/// messages; what comes within a moment makes one generation together.
final class Mesher implements AutoCloseable {
    private final Function<Mesh, dev.bodyguard.xds.compile.Resources> compiler;
    private final Runnable published;
    private final Events events;
    private final Pace pace;
    private final BlockingQueue<Letter> mailbox = new LinkedBlockingQueue<>();
    private final CountDownLatch ready = new CountDownLatch(1);
    private final Thread owner = Thread.ofVirtual().name("config-mesher").unstarted(this::run);

    // Owned by the thread.
    private final Documents documents;
    private final LastGood lastGood;
    private final Names names = new Names();
    private final Map<String, Workload> workloads = new TreeMap<>();
    private Set<Problem> contradictions = Set.of();
    private List<Problem> standing = List.of();
    private final Doubts doubts;
    private boolean documentsKnown;
    private boolean workloadsKnown;
    private long number;
    private long publishedAt;
    /// The first change came that is in no generation yet; and when it did.
    private boolean begun;

    private long came;
    private int translated;
    private String discovery = "";
    private boolean closed;

    // Read by anyone.
    private volatile @Nullable Generation current;
    private volatile List<Problem> problems = List.of();
    private volatile List<Standing> standings = List.of();

    sealed interface Message {}

    /// Documents came or went.
    ///
    /// @param put discovery's name to document
    record DocumentsChanged(Map<String, Document> put, List<String> removed) implements Message {}

    record WorkloadsChanged(Map<String, Workload> put, List<String> removed) implements Message {}

    private record Close() implements Message {}

    /// @param discovery the generation of discovery's that it is of
    private record Letter(Message message, String discovery, long came) {}

    /// Wires it; [#start] runs it.
    ///
    /// @param published called after each generation, on this thread
    /// @param lastGood outlives a restart; closed with this
    Mesher(
            Dialect dialect,
            Function<Mesh, dev.bodyguard.xds.compile.Resources> compiler,
            Runnable published,
            LastGood lastGood,
            Events events,
            Pace pace) {
        this.documents = new Documents(dialect, events);
        this.lastGood = lastGood;
        this.compiler = compiler;
        this.published = published;
        this.events = events;
        this.pace = pace;
        this.doubts = new Doubts(pace.doubt(), names);
    }

    void start() {
        owner.start();
    }

    /// @param of the generation of discovery's that a change is of
    void tell(Message message, String of) {
        mailbox.add(new Letter(message, of, System.nanoTime()));
    }

    /// The newest generation; null until everything is known once.
    @Nullable
    Generation current() {
        return current;
    }

    /// Waits until everything is known once: half of the truth would tell proxies that the rest is gone.
    void awaitReady() throws InterruptedException {
        ready.await();
    }

    boolean isReady() {
        return current != null;
    }

    /// How each of an API server's documents fares in the newest generation.
    List<Standing> standings() {
        return standings;
    }

    List<Problem> problems() {
        return problems;
    }

    @Override
    public void close() {
        tell(new Close(), "");
        try {
            owner.join();
            lastGood.close();
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
        ready.countDown();
    }

    private void run() {
        documents.recall(lastGood.read());
        publishedAt = System.nanoTime() - pace.apart().toNanos();
        try {
            while (!closed) {
                var letter = mailbox.poll(doubts.next(System.nanoTime()), TimeUnit.NANOSECONDS);
                if (letter == null) {
                    var _ = tell();
                    continue;
                }
                take(letter);
                gather(pace.due(System.nanoTime(), publishedAt));
                if (!closed && documentsKnown && workloadsKnown) {
                    publish();
                    publishedAt = System.nanoTime();
                }
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    /// Takes what comes until then, and what is here already.
    private void gather(long due) throws InterruptedException {
        for (long left = due - System.nanoTime(); left > 0 && !closed; left = due - System.nanoTime()) {
            var letter = mailbox.poll(left, TimeUnit.NANOSECONDS);
            if (letter != null) {
                take(letter);
            }
        }
        var waiting = new ArrayList<Letter>();
        mailbox.drainTo(waiting);
        waiting.forEach(this::take);
    }

    private void take(Letter letter) {
        if (!begun) {
            begun = true;
            came = letter.came;
        }
        switch (letter.message) {
            case DocumentsChanged(var put, var removed) -> {
                discovery = letter.discovery;
                documentsKnown = true;
                documents.take(put, removed);
                translated += put.size();
            }
            case WorkloadsChanged(var put, var removed) -> {
                discovery = letter.discovery;
                workloadsKnown = true;
                removed.forEach(workloads::remove);
                workloads.putAll(put);
            }
            case Close _ -> closed = true;
        }
    }

    /// What is wrong between documents: in the log what is new of it, and all of it to whoever asks.
    ///
    /// @return what is new
    private List<Problem> tell() {
        var ofDocuments = documents.problems();
        var places = ofDocuments.stream().map(Problem::origin).collect(Collectors.toSet());
        var between = new ArrayList<>(standing);
        // One mistake is told once: a version that waits for what nobody has may hold already.
        doubts.told(System.nanoTime()).stream()
                .filter(problem -> !places.contains(problem.origin()))
                .forEach(between::add);
        var news = between.stream()
                .filter(problem -> !contradictions.contains(problem))
                .distinct()
                .toList();
        news.forEach(events::contradicted);
        contradictions = Set.copyOf(between);
        var all = new ArrayList<>(ofDocuments);
        all.addAll(between);
        problems = List.copyOf(all);
        return news;
    }

    private void publish() {
        long gathered = System.nanoTime();
        try {
            Mesh mesh = documents.settle(workloads.values(), names, number + 1);
            lastGood.keep(documents.lastGood());
            standing = mesh.problems();
            long settled = System.nanoTime();
            doubts.look(mesh, settled);
            var course = new Course(discovery, came, gathered, translated, settled, tell());
            begun = false;
            translated = 0;
            standings = documents.standings(mesh.overridden());
            boolean first = current == null;
            var next = new Generation(++number, compiler.apply(mesh), events);
            // Told before any stream can offer it.
            events.published(course, number, documents.size(), workloads.size(), problems.size());
            current = next;
            if (first) {
                events.ready();
                ready.countDown();
            }
            published.run();
        } catch (RuntimeException defect) {
            events.failed("making a mesh of " + documents.size() + " documents; the last generation stays", defect);
        }
    }
}
