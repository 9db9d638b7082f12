package dev.bodyguard.source.kubernetes;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Writes verdicts into the status of what they are about: one thread, one object at a time, none more than once a
/// second,
/// and only what differs from what stands there.
///
/// An object is read first and written in that version, so that nothing that another wrote meanwhile is lost.
final class Statuses implements AutoCloseable {
    private static final Duration APART = Duration.ofSeconds(1);
    private static final Duration AFTER_REFUSAL = Duration.ofSeconds(30);

    private final KubernetesClient client;
    private final Function<String, @Nullable Target> targets;
    private final Events events;
    private final InstantSource clock;
    private final Thread thread = Thread.ofVirtual().name("statuses").unstarted(this::run);

    // Guarded by the lock.
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition something = lock.newCondition();
    private final Map<String, Waiting> waiting = new LinkedHashMap<>();

    // Of the thread.
    private final Map<String, Long> written = new HashMap<>();

    private record Waiting(Verdict verdict, long due) {}

    /// The object that a document is.
    record Target(Kind kind, String version, String namespace, String name, long generation) {}

    private Statuses(
            KubernetesClient client, Function<String, @Nullable Target> targets, Events events, InstantSource clock) {
        this.client = client;
        this.targets = targets;
        this.events = events;
        this.clock = clock;
    }

    /// Begins.
    ///
    /// @param targets from a document's key; null where its kind has no status, or it is gone
    static Statuses start(
            KubernetesClient client, Function<String, @Nullable Target> targets, Events events, InstantSource clock) {
        var statuses = new Statuses(client, targets, events, clock);
        statuses.thread.start();
        return statuses;
    }

    /// Writes soon; of two verdicts about one document the later.
    void write(Verdict verdict) {
        var target = targets.apply(verdict.key());
        if (target != null) {
            wait(verdict, System.nanoTime());
        }
    }

    @Override
    public void close() {
        thread.interrupt();
    }

    private void wait(Verdict verdict, long due) {
        lock.lock();
        try {
            waiting.merge(verdict.key(), new Waiting(verdict, due), (before, now) -> now);
            something.signal();
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        try {
            while (true) {
                var verdict = next();
                try {
                    write(verdict, targets.apply(verdict.key()));
                } catch (KubernetesClientException failed) {
                    failed(verdict, failed);
                } catch (RuntimeException defect) {
                    events.statusRefused(verdict.key(), "a defect here: " + defect);
                }
            }
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
    }

    /// The next one whose time has come.
    private Verdict next() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (true) {
                long now = System.nanoTime();
                long soonest = Long.MAX_VALUE;
                for (var entry : waiting.entrySet()) {
                    var last = written.get(entry.getKey());
                    long left = Math.max(entry.getValue().due - now, last == null ? 0 : last + APART.toNanos() - now);
                    if (left <= 0) {
                        waiting.remove(entry.getKey());
                        return entry.getValue().verdict;
                    }
                    soonest = Math.min(soonest, left);
                }
                // What was written longer ago holds up nothing.
                written.values().removeIf(at -> now - at > APART.toNanos());
                if (soonest == Long.MAX_VALUE) {
                    something.await();
                } else {
                    var _ = something.await(soonest, TimeUnit.NANOSECONDS);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private void write(Verdict verdict, @Nullable Target target) {
        // The next version will be judged for itself.
        if (target == null || verdict.generation() != target.generation) {
            return;
        }
        var resource = client.genericKubernetesResources(Watched.context(target.kind, target.version))
                .inNamespace(target.namespace);
        GenericKubernetesResource object = resource.withName(target.name).get();
        if (object == null || generation(object) != target.generation) {
            return;
        }
        var tree = Tree.of(object);
        var status = Conditions.status(tree, target.kind, verdict, clock.instant());
        if (!Conditions.same(status, tree.at("status").value())) {
            object.setAdditionalProperty("status", status);
            written.put(verdict.key(), System.nanoTime());
            var _ = resource.resource(object).updateStatus();
        }
    }

    private static long generation(GenericKubernetesResource object) {
        var generation = object.getMetadata().getGeneration();
        return generation == null ? 0 : generation;
    }

    private void failed(Verdict verdict, KubernetesClientException failed) {
        switch (failed.getCode()) {
            // Somebody else wrote: again, from what stands there now.
            case HttpURLConnection.HTTP_CONFLICT -> again(verdict, APART);
            case HttpURLConnection.HTTP_NOT_FOUND -> events.statusRefused(verdict.key(), Why.of(failed));
            default -> {
                events.statusRefused(verdict.key(), Why.of(failed));
                again(verdict, AFTER_REFUSAL);
            }
        }
    }

    /// Unless there is a newer one.
    private void again(Verdict verdict, Duration later) {
        lock.lock();
        try {
            waiting.putIfAbsent(verdict.key(), new Waiting(verdict, System.nanoTime() + later.toNanos()));
        } finally {
            lock.unlock();
        }
    }
}
