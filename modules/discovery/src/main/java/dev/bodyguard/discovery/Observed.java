package dev.bodyguard.discovery;

import dev.bodyguard.source.files.FileProblem;
import dev.bodyguard.xds.protocol.discovery.v1.Workload;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.opentelemetry.api.trace.Tracer;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/// Events as log lines, metrics and spans.
final class Observed implements Events {
    private static final Logger LOG = System.getLogger("dev.bodyguard.discovery");

    private static final Duration STATUSES_APART = Duration.ofSeconds(10);

    private final AtomicInteger documents;
    private final AtomicInteger workloads;
    private final AtomicInteger clusterWorkloads;
    private final AtomicInteger problems;
    private final Counter refusals;
    private final Counter heldBack;
    private final Counter lost;
    private final Counter statusesRefused;
    private final AtomicReference<Instant> statusesTold = new AtomicReference<>(Instant.EPOCH);

    private final Spans spans;

    Observed(MeterRegistry metrics, Tracer tracer) {
        spans = new Spans(tracer);
        documents = metrics.gauge("bodyguard_discovery_documents", new AtomicInteger());
        workloads = metrics.gauge("bodyguard_discovery_workloads", new AtomicInteger());
        clusterWorkloads = metrics.gauge("bodyguard_discovery_cluster_workloads", new AtomicInteger());
        problems = metrics.gauge("bodyguard_discovery_file_problems", new AtomicInteger());
        refusals = Counter.builder("bodyguard_discovery_refused")
                .description("Registrations and subscriptions that were refused")
                .register(metrics);
        heldBack = Counter.builder("bodyguard_discovery_held_back")
                .description("Streams whose requests came faster than they could be answered")
                .register(metrics);
        statusesRefused = Counter.builder("bodyguard_discovery_statuses_refused")
                .description("Writes of a document's status that the API server did not take")
                .register(metrics);
        lost = Counter.builder("bodyguard_discovery_workloads_lost")
                .description("Workloads that left without draining")
                .register(metrics);
    }

    @Override
    public void documentsChanged(int put, int removed, int now) {
        documents.set(now);
        LOG.log(Level.INFO, "documents: " + put + " new or changed, " + removed + " removed, " + now + " now");
    }

    @Override
    public void served(Course course, long generation, int documentsNow, int problemsNow) {
        spans.served(course, generation, documentsNow, problemsNow);
    }

    @Override
    public void unreadable(FileProblem problem) {
        LOG.log(Level.ERROR, problem.toString());
    }

    @Override
    public void readableAgain(String file) {
        LOG.log(Level.INFO, file + " is readable again");
    }

    @Override
    public void problems(int now) {
        problems.set(now);
    }

    @Override
    public void clusterWorkloads(int put, int gone, int now) {
        clusterWorkloads.set(now);
        LOG.log(Level.INFO, "pods and endpoints: " + put + " new or changed, " + gone + " gone, " + now + " now");
    }

    @Override
    public void clusterLost(String what, String why) {
        LOG.log(Level.WARNING, what + " cannot be read, everything stays as it was last read: " + why);
    }

    @Override
    public void clusterBack() {
        LOG.log(Level.INFO, "the API server is read again");
    }

    @Override
    public void clusterHas(String what) {
        LOG.log(Level.INFO, "reading " + what);
    }

    @Override
    public void clusterHasNoMore(String what) {
        LOG.log(Level.WARNING, what + " are no longer defined in the cluster, so there are none");
    }

    @Override
    public void leftOut(String object, String why) {
        LOG.log(Level.WARNING, object + " is left out: " + why);
    }

    @Override
    public void statusRefused(String document, String why) {
        statusesRefused.increment();
        var now = Instant.now();
        var last = statusesTold.get();
        if (Duration.between(last, now).compareTo(STATUSES_APART) >= 0 && statusesTold.compareAndSet(last, now)) {
            LOG.log(
                    Level.WARNING,
                    "how " + document + " fares cannot be written into its status: " + why
                            + " (such lines: one in ten seconds; bodyguard_discovery_statuses_refused_total counts)");
        }
    }

    @Override
    public void sourceLost(String source, Exception why) {
        LOG.log(Level.ERROR, source + " is no longer read: " + why);
    }

    @Override
    public void enrolled(Workload workload, boolean known, int now) {
        workloads.set(now);
        LOG.log(
                Level.INFO,
                "workload " + Leases.name(workload) + (known ? " is back" : " enrolled") + " for service "
                        + workload.getService() + " at " + workload.getAddress() + " ports "
                        + workload.getPortsMap());
    }

    @Override
    public void left(Workload workload, Leases.Why why, int now) {
        workloads.set(now);
        if (why != Leases.Why.DRAINED) {
            lost.increment();
        }
        LOG.log(
                why == Leases.Why.DRAINED ? Level.INFO : Level.WARNING,
                "workload " + Leases.name(workload) + " is out: " + why);
    }

    @Override
    public void refused(String peer, String why) {
        refusals.increment();
        LOG.log(Level.WARNING, "refused " + peer + ": " + why);
    }

    @Override
    public void refusedAgain() {
        refusals.increment();
    }

    @Override
    public void heldBack(String peer, int waitingBytes) {
        heldBack.increment();
        LOG.log(
                Level.WARNING,
                peer + " asks faster than it is answered and is held back: " + waitingBytes
                        + " bytes of its requests wait");
    }

    @Override
    public void remembered(int remembered, int gone) {
        workloads.set(remembered);
        LOG.log(
                Level.INFO,
                "workloads of before the restart: " + remembered + " answer and have three leases to come back, " + gone
                        + " do not answer and are out");
    }

    @Override
    public void memoryFailed(Exception why) {
        LOG.log(Level.WARNING, "registrations do not survive a restart: " + why);
    }

    @Override
    public void lastReadFailed(Exception why) {
        LOG.log(Level.ERROR, "what files say now is not in force after a restart where they are broken then: " + why);
    }
}
