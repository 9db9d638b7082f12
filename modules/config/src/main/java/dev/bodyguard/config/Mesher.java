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
import org.jspecify.annotations.Nullable;

/// Documents and workloads to a mesh, and the mesh to a generation: one thread that owns all of it. Others leave
/// messages; what comes within a moment makes one generation together.
final class Mesher implements AutoCloseable {
    private final Function<Mesh, dev.bodyguard.xds.compile.Resources> compiler;
    private final Runnable published;
    private final Events events;
    private final Pace pace;
    private final BlockingQueue<Message> mailbox = new LinkedBlockingQueue<>();
    private final CountDownLatch ready = new CountDownLatch(1);
    private final Thread owner = Thread.ofVirtual().name("config-mesher").unstarted(this::run);

    // Owned by the thread.
    private final Documents documents;
    private final Names names = new Names();
    private final Map<String, Workload> workloads = new TreeMap<>();
    private Set<Problem> contradictions = Set.of();
    private List<Problem> standing = List.of();
    private final Doubts doubts;
    private boolean documentsKnown;
    private boolean workloadsKnown;
    private long number;
    private long publishedAt;
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

    /// Wires it; [#start] runs it.
    ///
    /// @param published called after each generation, on this thread
    Mesher(
            Dialect dialect,
            Function<Mesh, dev.bodyguard.xds.compile.Resources> compiler,
            Runnable published,
            Events events,
            Pace pace) {
        this.documents = new Documents(dialect, events);
        this.compiler = compiler;
        this.published = published;
        this.events = events;
        this.pace = pace;
        this.doubts = new Doubts(pace.doubt());
    }

    void start() {
        owner.start();
    }

    void tell(Message message) {
        mailbox.add(message);
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
        mailbox.add(new Close());
        try {
            owner.join();
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
        ready.countDown();
    }

    private void run() {
        publishedAt = System.nanoTime() - pace.apart().toNanos();
        try {
            while (!closed) {
                var message = mailbox.poll(doubts.next(System.nanoTime()), TimeUnit.NANOSECONDS);
                if (message == null) {
                    tell();
                    continue;
                }
                take(message);
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
            Message message = mailbox.poll(left, TimeUnit.NANOSECONDS);
            if (message != null) {
                take(message);
            }
        }
        var waiting = new ArrayList<Message>();
        mailbox.drainTo(waiting);
        waiting.forEach(this::take);
    }

    private void take(Message message) {
        switch (message) {
            case DocumentsChanged(var put, var removed) -> {
                documentsKnown = true;
                documents.take(put, removed);
            }
            case WorkloadsChanged(var put, var removed) -> {
                workloadsKnown = true;
                removed.forEach(workloads::remove);
                workloads.putAll(put);
            }
            case Close _ -> closed = true;
        }
    }

    /// What is wrong between documents: in the log what is new of it, and all of it to whoever asks.
    private void tell() {
        var between = new ArrayList<>(standing);
        between.addAll(doubts.told(System.nanoTime()));
        between.stream()
                .filter(problem -> !contradictions.contains(problem))
                .distinct()
                .forEach(events::contradicted);
        contradictions = Set.copyOf(between);
        var all = new ArrayList<>(documents.problems());
        all.addAll(between);
        problems = List.copyOf(all);
    }

    private void publish() {
        try {
            Mesh mesh = documents.settle(workloads.values(), names, number + 1);
            standing = mesh.problems();
            doubts.look(mesh, names, System.nanoTime());
            tell();
            standings = documents.standings(mesh.overridden());
            boolean first = current == null;
            current = new Generation(++number, compiler.apply(mesh), events);
            events.published(number, documents.size(), workloads.size(), problems.size());
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
