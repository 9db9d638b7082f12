package dev.bodyguard.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.model.Location;
import dev.bodyguard.source.files.FileProblem;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.EventData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SpansTest {
    private static final AttributeKey<String> GENERATION = AttributeKey.stringKey("bodyguard.discovery.generation");

    private final InMemorySpanExporter exported = InMemorySpanExporter.create();
    private final SdkTracerProvider provider = SdkTracerProvider.builder()
            .addSpanProcessor(SimpleSpanProcessor.create(exported))
            .build();
    private final Spans spans = new Spans(provider.get("test"));

    @AfterEach
    void close() {
        provider.close();
    }

    @Test
    void whatCameTogetherIsOneSpanFromTheFirstSignOn() {
        long now = System.nanoTime();
        var course = found(now - 30_000_000, now - 10_000_000, List.of())
                .and(Course.ofWorkload(now - 5_000_000))
                .and(found(now - 20_000_000, now - 2_000_000, List.of()));

        spans.served(course, 7, 3, 0);

        var span = only();
        assertThat(span.getName()).isEqualTo("discovery.read");
        assertThat(span.getAttributes().get(GENERATION)).isEqualTo("7");
        assertThat(span.getAttributes().get(AttributeKey.longKey("bodyguard.workloads.changed")))
                .isEqualTo(1);
        assertThat(span.getEndEpochNanos() - span.getStartEpochNanos()).isGreaterThanOrEqualTo(30_000_000);
        assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
    }

    @Test
    void whatCannotBeReadIsAnErrorAndInNoGeneration() {
        long now = System.nanoTime();
        var problem = new FileProblem(new Location("pay.yaml", 3, 9), "a bracket is open");

        spans.served(found(now, now, List.of(problem)), 0, 3, 1);

        var span = only();
        assertThat(span.getAttributes().get(GENERATION)).isNull();
        assertThat(span.getStatus().getDescription()).isEqualTo("pay.yaml:3:9: a bracket is open");
        assertThat(span.getEvents()).extracting(EventData::getName).containsExactly("read", "problem");
    }

    @Test
    void workloadsThatRegisterReadNothing() {
        spans.served(Course.ofWorkload(System.nanoTime()), 8, 3, 0);

        assertThat(only().getName()).isEqualTo("discovery.workloads");
    }

    private SpanData only() {
        assertThat(exported.getFinishedSpanItems()).hasSize(1);
        return exported.getFinishedSpanItems().getFirst();
    }

    private static Course found(long noticed, long read, List<FileProblem> unreadable) {
        return Course.of(
                new Source.Found(List.of(), Set.of(), List.of(), Set.of(), unreadable, noticed, read), unreadable);
    }
}
