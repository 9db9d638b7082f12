package dev.bodyguard.config;

import dev.bodyguard.model.Problem;
import dev.bodyguard.tracing.Moments;
import dev.bodyguard.xds.server.Client;
import dev.bodyguard.xds.snapshot.Heard;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// Each generation as a trace: `config.generation`, from the first change that came until it is offered, and below it
/// `config.gather`, `config.translate`, `config.compile` and one `xds.push` for each proxy that it changes something
/// for,
/// from sending until the proxy has answered all of it.
///
/// A push ends as `acked`, `nacked`, `superseded` (the next generation came before the answer) or `gone` (the proxy
/// left).
final class Spans {
    /// Of one generation. More tell nothing new, and an exporter has room for some thousand spans.
    static final int MOST_PUSHES = 100;

    private static final int MOST_PROBLEMS = 20;
    /// Characters of what a proxy says of itself, which is proved by nothing.
    private static final int LONGEST = 200;

    private static final AttributeKey<Long> GENERATION = AttributeKey.longKey("bodyguard.generation");
    private static final AttributeKey<String> DISCOVERY = AttributeKey.stringKey("bodyguard.discovery.generation");
    private static final AttributeKey<Long> DOCUMENTS = AttributeKey.longKey("bodyguard.documents");
    private static final AttributeKey<Long> WORKLOADS = AttributeKey.longKey("bodyguard.workloads");
    private static final AttributeKey<Long> PROBLEMS = AttributeKey.longKey("bodyguard.problems");
    private static final AttributeKey<String> PROBLEM = AttributeKey.stringKey("bodyguard.problem");
    private static final AttributeKey<String> SEVERITY = AttributeKey.stringKey("bodyguard.problem.severity");
    private static final AttributeKey<String> PROXY = AttributeKey.stringKey("bodyguard.proxy");
    private static final AttributeKey<String> PEER = AttributeKey.stringKey("bodyguard.peer");
    private static final AttributeKey<Long> RESPONSES = AttributeKey.longKey("bodyguard.xds.responses");
    private static final AttributeKey<String> OUTCOME = AttributeKey.stringKey("bodyguard.xds.outcome");
    private static final AttributeKey<String> TYPE = AttributeKey.stringKey("bodyguard.xds.type");

    private final Tracer tracer;
    private final ConcurrentMap<Long, Push> pushes = new ConcurrentHashMap<>();
    // Of the mesher's thread.
    private final List<Problem> problems = new ArrayList<>();

    private volatile @Nullable Published newest;

    /// @param left how many more pushes of it may be spans
    private record Published(String generation, Context context, AtomicInteger left) {}

    /// What one proxy has not answered yet. Of its stream's thread.
    private static final class Push {
        private final String generation;
        private final Span span;
        private int unanswered;
        private boolean refused;

        Push(String generation, Span span, int responses) {
            this.generation = generation;
            this.span = span;
            this.unanswered = responses;
        }

        void end(String outcome) {
            span.setAttribute(OUTCOME, outcome).end();
        }
    }

    Spans(Tracer tracer) {
        this.tracer = tracer;
    }

    /// Something is wrong with a document of the next generation.
    void problem(Problem problem) {
        if (problems.size() < MOST_PROBLEMS) {
            problems.add(problem);
        }
    }

    void published(Course course, long generation, int documents, int workloads, int problemsNow) {
        course.contradictions().forEach(this::problem);
        long published = System.nanoTime();
        var moments = Moments.now();
        var span = tracer.spanBuilder("config.generation")
                .setNoParent()
                .setStartTimestamp(moments.of(course.came()), TimeUnit.NANOSECONDS)
                .setAttribute(GENERATION, generation)
                .setAttribute(DISCOVERY, course.discovery())
                .setAttribute(DOCUMENTS, documents)
                .setAttribute(WORKLOADS, workloads)
                .setAttribute(PROBLEMS, problemsNow)
                .startSpan();
        for (Problem problem : problems) {
            span.addEvent(
                    "problem",
                    Attributes.of(
                            PROBLEM,
                            problem.toString(),
                            SEVERITY,
                            problem.severity().name()));
        }
        problems.stream()
                .filter(problem -> problem.severity() == Problem.Severity.ERROR)
                .findFirst()
                .ifPresent(problem -> span.setStatus(StatusCode.ERROR, problem.toString()));
        problems.clear();
        var context = Context.root().with(span);
        begun("config.gather", context, moments.of(course.came()))
                .end(moments.of(course.gathered()), TimeUnit.NANOSECONDS);
        begun("config.translate", context, moments.of(course.gathered()))
                .setAttribute(DOCUMENTS, course.documents())
                .end(moments.of(course.settled()), TimeUnit.NANOSECONDS);
        begun("config.compile", context, moments.of(course.settled())).end(moments.of(published), TimeUnit.NANOSECONDS);
        span.end(moments.of(published), TimeUnit.NANOSECONDS);
        newest = new Published(Long.toString(generation), context, new AtomicInteger(MOST_PUSHES));
    }

    void pushing(Client client, String generation, int responses) {
        var before = pushes.remove(client.stream());
        if (before != null) {
            before.end("superseded");
        }
        var of = newest;
        if (of == null || !of.generation.equals(generation) || of.left.getAndDecrement() <= 0) {
            return;
        }
        pushes.put(
                client.stream(),
                new Push(
                        generation,
                        tracer.spanBuilder("xds.push")
                                .setParent(of.context)
                                .setAttribute(GENERATION, Long.parseLong(generation))
                                .setAttribute(PROXY, shortened(client.node().getId()))
                                .setAttribute(
                                        PEER, String.join(",", client.peer().uris()))
                                .setAttribute(RESPONSES, (long) responses)
                                .startSpan(),
                        responses));
    }

    void acked(Client client, Heard.Acked what) {
        answered(client, what.generation());
    }

    void nacked(Client client, Heard.Nacked what) {
        var push = pushes.get(client.stream());
        if (push != null && push.generation.equals(what.generation())) {
            push.refused = true;
            push.span
                    .setStatus(StatusCode.ERROR, what.why())
                    .addEvent("nack", Attributes.of(TYPE, what.typeUrl(), PROBLEM, what.why()));
        }
        answered(client, what.generation());
    }

    void gone(Client client) {
        var push = pushes.remove(client.stream());
        if (push != null) {
            push.end("gone");
        }
    }

    private void answered(Client client, String generation) {
        var push = pushes.get(client.stream());
        if (push != null && push.generation.equals(generation) && --push.unanswered == 0) {
            pushes.remove(client.stream());
            push.end(push.refused ? "nacked" : "acked");
        }
    }

    private Span begun(String name, Context parent, long epochNanos) {
        return tracer.spanBuilder(name)
                .setParent(parent)
                .setStartTimestamp(epochNanos, TimeUnit.NANOSECONDS)
                .startSpan();
    }

    private static String shortened(String text) {
        return text.length() <= LONGEST ? text : text.substring(0, LONGEST) + "…";
    }
}
