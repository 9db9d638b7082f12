package dev.bodyguard.telemetry.service;

import dev.bodyguard.telemetry.service.SeriesKey.Reporter;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Who talks to whom in the mesh, and how that goes, from the counters that sidecars report; never from spans.
///
/// An exchange between two sidecars is counted by both. Where the source has reported an edge, its counts are taken: it
/// counts each request once, however often it tried, and it alone sees what reached nobody. Otherwise the destination's
/// are. Whether the way was mutual TLS is the destination's to say, which checked the certificate.
///
/// Bounded: edges, reporters and series have an end, for all and for each identity, after which they are counted as one
/// or
/// not at all. Guarded by itself; everything is short.
final class Topology {
    private static final int MOST_REPORTERS = 10_000;
    /// So that nobody can make others be forgotten.
    private static final int MOST_REPORTERS_OF_ONE_IDENTITY = 500;

    private static final int MOST_SERIES_PER_REPORTER = 4_000;
    private static final Duration FORGET_SERIES_AFTER = Duration.ofMinutes(10);
    private static final Duration FORGET_EDGE_AFTER = Duration.ofHours(1);
    private static final Duration WORKLOAD_IS_GONE_AFTER = Duration.ofMinutes(1);
    private static final Duration EVERYTHING_WAS_TOLD_AFTER = Duration.ofSeconds(15);
    /// Sidecars tell every two seconds: an edge's first counts are of a time before it was heard of.
    private static final int TOLD_EVERY_SECONDS = 2;

    private final Shares edgeShares;
    private final Shares seriesShares;
    private final Shares reporterShares = new Shares(MOST_REPORTERS_OF_ONE_IDENTITY, MOST_REPORTERS);
    private final InstantSource clock;
    private final Map<EdgeKey, Edge> edges = new HashMap<>();
    private final Map<String, Instance> instances = new LinkedHashMap<>(16, 0.75f, true);
    private final Listener listener;

    /// Hears of edges that begin and end, within the lock.
    interface Listener {
        void began(EdgeKey edge);

        void ended(EdgeKey edge);
    }

    /// @param edges that are told apart
    /// @param series counters whose last value is remembered
    Topology(Shares edges, Shares series, InstantSource clock, Listener listener) {
        this.edgeShares = edges;
        this.seriesShares = series;
        this.clock = clock;
        this.listener = listener;
    }

    /// A workload that reports.
    ///
    /// @param service its short name
    /// @param principal the SPIFFE id that it proved
    record Workload(String name, String namespace, String version, String service, String principal) {}

    /// A process that reports, and what it said last.
    private static final class Instance {
        private Workload workload;
        private long startedAt;
        private final long firstHeardAt;
        private long heardAt;
        /// What it counted before is known, though no longer how much that was.
        private boolean forgotten;

        private final Map<SeriesKey, long[]> last = new HashMap<>();

        Instance(Workload workload, long startedAt, long now) {
            this.workload = workload;
            this.startedAt = startedAt;
            this.firstHeardAt = now;
        }
    }

    /// What one of the two sides counted.
    private static final class Side {
        private long requests;
        private long retries;
        private long mutualTls;
        private final Map<String, Long> responses = new TreeMap<>();
        private final Window window = new Window();
    }

    private static final class Edge {
        /// Who reported it first; null where it is in nobody's share.
        private final @Nullable String principal;

        private final long since;
        private long heardAt;
        private @Nullable Side source;
        private @Nullable Side destination;
        private boolean provenBySource;

        Edge(@Nullable String principal, long now) {
            this.principal = principal;
            since = now;
            heardAt = now;
        }

        Side of(Reporter reporter) {
            return switch (reporter) {
                case SOURCE -> {
                    var side = source == null ? new Side() : source;
                    source = side;
                    yield side;
                }
                case DESTINATION -> {
                    var side = destination == null ? new Side() : destination;
                    destination = side;
                    yield side;
                }
            };
        }
    }

    /// An edge as it is now.
    ///
    /// @param requests since it was first heard of
    /// @param rate a second, within the window
    /// @param successRate within the window; null where nothing was asked within it
    /// @param mutualTls the share of requests that came by mutual TLS
    record Figures(
            EdgeKey key,
            long requests,
            double rate,
            @Nullable Double successRate,
            @Nullable Double p50,
            @Nullable Double p90,
            @Nullable Double p99,
            double mutualTls,
            long retries,
            Map<String, Long> responses) {}

    /// Whatever a reporter says in one breath.
    interface Report {
        /// Takes one counter.
        ///
        /// @param values one number, or a count for each of [Latencies]' buckets
        /// @param cumulative whether they count from the reporter's start, rather than from its last report
        /// @param proven whether a source names the certificate of its destination
        /// @return false where there is no room for it
        boolean add(SeriesKey key, long[] values, boolean cumulative, boolean proven);
    }

    /// Takes what a workload reports.
    ///
    /// @param startedAt when its counters were 0, in milliseconds since the epoch; 0 where that is not known
    synchronized Report hear(Workload workload, long startedAt) {
        long now = clock.millis();
        var id = workload.principal() + "|" + workload.name();
        var known = instances.get(id);
        if (known == null) {
            if (instances.size() >= MOST_REPORTERS) {
                forgetEldest();
            }
            if (!reporterShares.take(workload.principal())) {
                return (_, _, _, _) -> false;
            }
            known = new Instance(workload, startedAt, now);
            instances.put(id, known);
        } else if (startedAt != 0 && known.startedAt != startedAt) {
            forget(known);
            known.forgotten = false;
            known.startedAt = startedAt;
        }
        known.workload = workload;
        known.heardAt = now;
        var instance = known;
        return (key, values, cumulative, proven) -> add(instance, key, values, cumulative, proven);
    }

    private synchronized boolean add(
            Instance instance, SeriesKey key, long[] values, boolean cumulative, boolean proven) {
        long now = clock.millis();
        var more = values;
        boolean recent = true;
        if (cumulative) {
            var last = instance.last.get(key);
            if (last == null) {
                if (instance.last.size() >= MOST_SERIES_PER_REPORTER
                        || !seriesShares.take(instance.workload.principal())) {
                    return false;
                }
                instance.last.put(key, values);
                if (instance.forgotten) {
                    return true;
                }
                // Of a process that is older than ourselves: all of it happened, but not just now.
                recent = now - instance.startedAt < Window.SECONDS * 1_000L
                        || now - instance.firstHeardAt > EVERYTHING_WAS_TOLD_AFTER.toMillis();
            } else {
                more = increase(last, values);
                instance.last.put(key, values);
            }
        }
        count(instance.workload.principal(), key, more, recent, proven, now);
        return true;
    }

    /// Counters only go up; one that did not is begun anew.
    private static long[] increase(long[] last, long[] now) {
        var more = new long[now.length];
        for (int i = 0; i < now.length; i++) {
            more[i] = i < last.length ? now[i] - last[i] : now[i];
            if (more[i] < 0) {
                return new long[now.length];
            }
        }
        return more;
    }

    private void count(String principal, SeriesKey key, long[] more, boolean recent, boolean proven, long now) {
        long seconds = now / 1_000;
        var edge = edge(principal, key.edge(), now);
        if (Arrays.stream(more).anyMatch(one -> one > 0)) {
            edge.heardAt = now;
        }
        edge.provenBySource |= proven && key.reporter() == Reporter.SOURCE;
        var side = edge.of(key.reporter());
        switch (key.kind()) {
            case REQUESTS -> {
                side.requests += more[0];
                side.responses.merge(key.code(), more[0], Long::sum);
                side.mutualTls += key.mutualTls() ? more[0] : 0;
                if (recent) {
                    var slot = side.window.now(seconds);
                    slot.requests += more[0];
                    slot.successes += key.success() ? more[0] : 0;
                    slot.secured += more[0];
                    slot.mutualTls += key.mutualTls() ? more[0] : 0;
                }
            }
            case DURATION -> {
                if (recent) {
                    var durations = side.window.now(seconds).durations;
                    for (int i = 0; i < durations.length; i++) {
                        durations[i] += more[i];
                    }
                }
            }
            case RETRIES -> side.retries += more[0];
        }
    }

    private Edge edge(String principal, EdgeKey key, long now) {
        var known = edges.get(key);
        if (known != null) {
            return known;
        }
        if (edgeShares.take(principal)) {
            return begin(key, new Edge(principal, now));
        }
        var beyond = edges.get(EdgeKey.BEYOND);
        return beyond == null ? begin(EdgeKey.BEYOND, new Edge(null, now)) : beyond;
    }

    private Edge begin(EdgeKey key, Edge edge) {
        edges.put(key, edge);
        listener.began(key);
        return edge;
    }

    /// Every edge, sorted.
    synchronized List<Figures> edges() {
        long now = clock.millis();
        var all = new ArrayList<Figures>(edges.size());
        edges.forEach((key, edge) -> all.add(figures(key, edge, now)));
        all.sort(Comparator.comparing((Figures figures) -> figures.key().source())
                .thenComparing(figures -> figures.key().sourceNamespace())
                .thenComparing(figures -> figures.key().destination())
                .thenComparing(figures -> figures.key().toString()));
        return all;
    }

    /// One edge; null where it is none any more.
    synchronized @Nullable Figures edge(EdgeKey key) {
        var edge = edges.get(key);
        return edge == null ? null : figures(key, edge, clock.millis());
    }

    private static Figures figures(EdgeKey key, Edge edge, long now) {
        long seconds = now / 1_000;
        var source = edge.source;
        var destination = edge.destination;
        var side = source != null && source.requests > 0 ? source : destination == null ? new Side() : destination;
        var window = side.window.sum(seconds);
        double covered = Math.clamp(
                (now - edge.since) / 1e3 + TOLD_EVERY_SECONDS, TOLD_EVERY_SECONDS, (double) Window.reach(seconds));
        return new Figures(
                key,
                side.requests,
                window.requests / covered,
                window.requests == 0 ? null : (double) window.successes / window.requests,
                Latencies.quantile(window.durations, 0.5),
                Latencies.quantile(window.durations, 0.9),
                Latencies.quantile(window.durations, 0.99),
                mutualTls(edge, seconds),
                source == null ? 0 : source.retries,
                Map.copyOf(side.responses));
    }

    private static double mutualTls(Edge edge, long seconds) {
        var destination = edge.destination;
        if (destination == null || destination.requests == 0) {
            // The source dials meshed workloads by mutual TLS only, and names the certificate that it demanded.
            return edge.provenBySource ? 1 : 0;
        }
        var window = destination.window.sum(seconds);
        return window.secured > 0
                ? (double) window.mutualTls / window.secured
                : (double) destination.mutualTls / destination.requests;
    }

    /// The workloads that reported within the last minute.
    synchronized List<Workload> workloads() {
        long now = clock.millis();
        return instances.values().stream()
                .filter(instance -> now - instance.heardAt < WORKLOAD_IS_GONE_AFTER.toMillis())
                .map(instance -> instance.workload)
                .sorted(Comparator.comparing(Workload::namespace).thenComparing(Workload::name))
                .toList();
    }

    synchronized int edgeCount() {
        return edges.size();
    }

    synchronized long seriesCount() {
        return seriesShares.taken();
    }

    /// Forgets what nobody has spoken of for long; to be called every few seconds.
    synchronized void sweep() {
        long now = clock.millis();
        for (var instance : instances.values()) {
            if (now - instance.heardAt > FORGET_SERIES_AFTER.toMillis() && !instance.forgotten) {
                forget(instance);
            }
        }
        edges.entrySet().removeIf(entry -> {
            var edge = entry.getValue();
            boolean old = now - edge.heardAt > FORGET_EDGE_AFTER.toMillis();
            if (old) {
                if (edge.principal != null) {
                    edgeShares.giveBack(edge.principal, 1);
                }
                listener.ended(entry.getKey());
            }
            return old;
        });
    }

    private void forget(Instance instance) {
        seriesShares.giveBack(instance.workload.principal(), instance.last.size());
        instance.last.clear();
        instance.forgotten = true;
    }

    private void forgetEldest() {
        var eldest = instances.entrySet().iterator();
        var gone = eldest.next().getValue();
        forget(gone);
        eldest.remove();
        reporterShares.giveBack(gone.workload.principal(), 1);
    }
}
