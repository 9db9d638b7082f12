package dev.bodyguard.discovery;

import dev.bodyguard.source.files.FileProblem;
import dev.bodyguard.tracing.Moments;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import java.util.concurrent.TimeUnit;

/// Each change as a span, from the first sign of it until subscribers are told: `discovery.read` if the source told
/// it, `discovery.workloads` if workloads did. Its `bodyguard.discovery.generation` is what config's spans name too.
record Spans(Tracer tracer) {
    private static final AttributeKey<String> GENERATION = AttributeKey.stringKey("bodyguard.discovery.generation");
    private static final AttributeKey<Long> PUT = AttributeKey.longKey("bodyguard.documents.put");
    private static final AttributeKey<Long> REMOVED = AttributeKey.longKey("bodyguard.documents.removed");
    private static final AttributeKey<Long> DOCUMENTS = AttributeKey.longKey("bodyguard.documents");
    private static final AttributeKey<Long> WORKLOADS = AttributeKey.longKey("bodyguard.workloads.changed");
    private static final AttributeKey<Long> PROBLEMS = AttributeKey.longKey("bodyguard.problems");
    private static final AttributeKey<String> MESSAGE = AttributeKey.stringKey("bodyguard.problem");
    private static final int MOST_PROBLEMS = 20;

    void served(Course course, long generation, int documents, int problems) {
        var moments = Moments.now();
        var span = tracer.spanBuilder(
                        switch (course.by()) {
                            case SOURCE -> "discovery.read";
                            case WORKLOADS -> "discovery.workloads";
                        })
                .setNoParent()
                .setStartTimestamp(moments.of(course.noticed()), TimeUnit.NANOSECONDS)
                .startSpan();
        span.addEvent("read", moments.of(course.read()), TimeUnit.NANOSECONDS);
        span.setAttribute(WORKLOADS, course.workloads());
        if (generation > 0) {
            span.setAttribute(GENERATION, Long.toString(generation));
        }
        if (course.by() == Course.By.SOURCE) {
            span.setAttribute(PUT, course.put())
                    .setAttribute(REMOVED, course.removed())
                    .setAttribute(DOCUMENTS, documents)
                    .setAttribute(PROBLEMS, problems);
        }
        for (FileProblem problem : course.unreadable()
                .subList(0, Math.min(MOST_PROBLEMS, course.unreadable().size()))) {
            span.addEvent("problem", Attributes.of(MESSAGE, problem.toString()));
        }
        if (!course.unreadable().isEmpty()) {
            span.setStatus(StatusCode.ERROR, course.unreadable().getFirst().toString());
        }
        span.end();
    }
}
