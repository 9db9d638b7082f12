package dev.bodyguard.config;

import dev.bodyguard.model.Document;
import dev.bodyguard.model.Problem;
import dev.bodyguard.xds.server.Client;
import dev.bodyguard.xds.snapshot.Heard;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.opentelemetry.api.trace.Tracer;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// Events as log lines, metrics and spans.
final class Observed implements Events {
    private static final Logger LOG = System.getLogger("dev.bodyguard.config");

    private final MeterRegistry metrics;
    private final AtomicInteger documents;
    private final AtomicInteger workloads;
    private final AtomicInteger problems;
    private final AtomicInteger proxies;
    private final Counter generations;
    private final Counter refusals;
    private final Counter heldBack;
    private final Counter viewsNotRemembered;
    private final Set<String> accountsTold = ConcurrentHashMap.newKeySet();
    private final Timer convergence;

    private final Spans spans;

    Observed(MeterRegistry metrics, Tracer tracer) {
        this.metrics = metrics;
        this.spans = new Spans(tracer);
        documents = metrics.gauge("bodyguard_config_documents", new AtomicInteger());
        workloads = metrics.gauge("bodyguard_config_workloads", new AtomicInteger());
        problems = metrics.gauge("bodyguard_config_problems", new AtomicInteger());
        proxies = metrics.gauge("bodyguard_config_proxies", new AtomicInteger());
        generations = Counter.builder("bodyguard_config_generations")
                .description("Generations offered to the proxies")
                .register(metrics);
        refusals = Counter.builder("bodyguard_config_proxies_refused")
                .description("Streams refused to clients that are not who they say")
                .register(metrics);
        heldBack = Counter.builder("bodyguard_config_proxies_held_back")
                .description("Streams whose requests came faster than they could be answered")
                .register(metrics);
        viewsNotRemembered = Counter.builder("bodyguard_config_views_not_remembered")
                .description("Views compiled for one proxy alone, because its account has too many different ones")
                .register(metrics);
        convergence = Timer.builder("bodyguard_config_convergence")
                .description("From publishing a generation to a proxy's acknowledgement of it")
                .publishPercentileHistogram()
                .register(metrics);
    }

    @Override
    public void refused(Problem problem, Documents.InForce standing) {
        spans.problem(problem);
        LOG.log(Level.ERROR, problem + "; " + standing);
    }

    @Override
    public void warned(Problem problem) {
        spans.problem(problem);
        LOG.log(Level.WARNING, problem.toString());
    }

    @Override
    public void applied(Document document) {
        LOG.log(Level.INFO, document.origin() + " is correct now and in force");
    }

    @Override
    public void removed(Document document) {
        LOG.log(Level.INFO, document.origin() + " is out of force now");
    }

    @Override
    public void unguarded(Document document) {
        LOG.log(
                Level.WARNING,
                new Problem(
                                Problem.Severity.WARNING,
                                document.origin(),
                                "is no longer there, and out of force from now on; put it back if that is not meant")
                        .toString());
    }

    @Override
    public void notRecalled(Path file, String why) {
        LOG.log(
                Level.WARNING,
                file + " cannot be read and is left out: " + why + "; a document whose newest version is a mistake has"
                        + " no last good version until it is corrected");
    }

    @Override
    public void notRemembered(Path file, String why) {
        LOG.log(
                Level.ERROR,
                file + " cannot be written: " + why + "; what is in force now is not after a restart where a document's"
                        + " newest version is a mistake then");
    }

    @Override
    public void contradicted(Problem problem) {
        LOG.log(Level.WARNING, problem.toString());
    }

    @Override
    public void published(Course course, long generation, int documentsNow, int workloadsNow, int problemsNow) {
        spans.published(course, generation, documentsNow, workloadsNow, problemsNow);
        documents.set(documentsNow);
        workloads.set(workloadsNow);
        problems.set(problemsNow);
        generations.increment();
        LOG.log(
                Level.INFO,
                "generation " + generation + ": " + documentsNow + " documents, " + workloadsNow + " workloads, "
                        + problemsNow + " problems");
    }

    @Override
    public void discoveryConnected() {
        LOG.log(Level.INFO, "following discovery");
    }

    @Override
    public void discoveryLost(String why, Duration retryIn) {
        LOG.log(
                Level.WARNING,
                "discovery is lost, everything stays as it is, next attempt in " + retryIn.toMillis() + " ms: " + why);
    }

    @Override
    public void ready() {
        LOG.log(Level.INFO, "ready: everything is known, proxies are answered");
    }

    @Override
    public void proxyConnected(String proxy, int now) {
        proxies.set(now);
        LOG.log(Level.INFO, "proxy " + proxy + " connected");
    }

    @Override
    public void proxyGone(Client client, String why, int now) {
        proxies.set(now);
        spans.gone(client);
        LOG.log(Level.INFO, "proxy " + client + " is gone: " + why);
    }

    @Override
    public void proxyRefused(String proxy, String why) {
        refusals.increment();
        LOG.log(Level.WARNING, "refused proxy " + proxy + ": " + why);
    }

    @Override
    public void proxyHeldBack(String proxy, int waitingBytes) {
        heldBack.increment();
        LOG.log(
                Level.WARNING,
                "proxy " + proxy + " asks faster than it is answered and is held back: " + waitingBytes
                        + " bytes of its requests wait");
    }

    @Override
    public void viewNotRemembered(String account, int remembered) {
        viewsNotRemembered.increment();
        if (accountsTold.add(account)) {
            LOG.log(
                    Level.WARNING,
                    "the proxies of service account " + account + " say more than " + remembered
                            + " different things of themselves (labels, ports); what goes beyond is compiled for each"
                            + " proxy anew, which costs time and memory");
        }
    }

    @Override
    public void proxyPushed(Client client, String generation, int responses) {
        spans.pushing(client, generation, responses);
    }

    @Override
    public void proxyAcked(Client client, Heard.Acked what, @Nullable Duration sincePublished) {
        spans.acked(client, what);
        if (sincePublished != null) {
            metrics.counter("bodyguard_config_acks", "type", shortName(what.typeUrl()))
                    .increment();
            convergence.record(sincePublished);
        }
    }

    @Override
    public void proxyNacked(Client client, Heard.Nacked what) {
        spans.nacked(client, what);
        var type = shortName(what.typeUrl());
        metrics.counter("bodyguard_config_nacks", "type", type).increment();
        LOG.log(Level.ERROR, "proxy " + client + " does not take a " + type + ": " + what.names() + ": " + what.why());
    }

    @Override
    public void failed(String doing, Throwable defect) {
        LOG.log(Level.ERROR, "a defect, " + doing, defect);
    }

    private static String shortName(String typeUrl) {
        return typeUrl.substring(typeUrl.lastIndexOf('.') + 1);
    }
}
