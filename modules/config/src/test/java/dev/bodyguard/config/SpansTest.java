package dev.bodyguard.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.model.Origin;
import dev.bodyguard.model.Problem;
import dev.bodyguard.xds.server.Client;
import dev.bodyguard.xds.server.Peer;
import dev.bodyguard.xds.snapshot.Heard;
import dev.bodyguard.xds.snapshot.TypeUrls;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.EventData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SpansTest {
    private static final Problem WRONG = new Problem(
            Problem.Severity.ERROR,
            new Origin("VirtualService", "default", "pay", "spec.http[0]", null),
            "must be 0 or more, was -5");

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
    void aGenerationIsATraceFromTheFirstChangeToTheLastAnswer() {
        publish(7);
        spans.pushing(client(1), "7", 2);
        acked(1, "7");
        assertThat(told("xds.push")).isEmpty();
        acked(1, "7");

        var generation = told("config.generation").getFirst();
        assertThat(text(generation, "bodyguard.discovery.generation")).isEqualTo("41");
        assertThat(generation.getAttributes().get(AttributeKey.longKey("bodyguard.generation")))
                .isEqualTo(7);
        assertThat(generation.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
        assertThat(exported.getFinishedSpanItems())
                .extracting(SpanData::getName)
                .containsExactlyInAnyOrder(
                        "config.generation", "config.gather", "config.translate", "config.compile", "xds.push");
        assertThat(exported.getFinishedSpanItems())
                .filteredOn(span -> !span.getName().equals("config.generation"))
                .allMatch(span -> span.getParentSpanId().equals(generation.getSpanId()));
        assertThat(outcomes()).containsExactly("acked");
    }

    @Test
    void aProblemMarksTheGenerationThatItCameWithAndNoOther() {
        spans.problem(WRONG);
        publish(1);
        publish(2);

        var first = told("config.generation").getFirst();
        assertThat(first.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
        assertThat(first.getStatus().getDescription()).isEqualTo(WRONG.toString());
        assertThat(first.getEvents()).extracting(EventData::getName).containsExactly("problem");
        var second = told("config.generation").getLast();
        assertThat(second.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
        assertThat(second.getEvents()).isEmpty();
    }

    @Test
    void aProxyThatRefusesIsAnErrorWithItsWords() {
        publish(1);
        spans.pushing(client(1), "1", 2);
        spans.nacked(client(1), new Heard.Nacked(TypeUrls.CLUSTER, "1", List.of("outbound|80"), "no such cipher"));
        acked(1, "1");

        assertThat(outcomes()).containsExactly("nacked");
        var push = told("xds.push").getFirst();
        assertThat(push.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
        assertThat(push.getStatus().getDescription()).isEqualTo("no such cipher");
    }

    @Test
    void whoIsOvertakenOrLeavesIsToldSo() {
        publish(1);
        spans.pushing(client(1), "1", 1);
        spans.pushing(client(2), "1", 1);
        publish(2);
        spans.pushing(client(1), "2", 1);
        acked(1, "1");
        spans.gone(client(2));
        acked(1, "2");

        assertThat(outcomes()).containsExactly("superseded", "gone", "acked");
    }

    @Test
    void whatAProxyAsksForLaterIsNoPush() {
        publish(1);
        acked(1, "1");
        spans.pushing(client(2), "0", 1);

        assertThat(told("xds.push")).isEmpty();
    }

    @Test
    void aGenerationHasAHundredPushesAtMost() {
        publish(1);
        for (int stream = 1; stream <= 250; stream++) {
            spans.pushing(client(stream), "1", 1);
            acked(stream, "1");
        }

        assertThat(outcomes()).hasSize(Spans.MOST_PUSHES);
    }

    private void publish(long generation) {
        long now = System.nanoTime();
        spans.published(new Course("41", now, now, 1, now, List.of()), generation, 3, 2, 0);
    }

    private void acked(long stream, String generation) {
        spans.acked(client(stream), new Heard.Acked(TypeUrls.CLUSTER, generation));
    }

    private static Client client(long stream) {
        return new Client(stream, Node.newBuilder().setId("pay-" + stream).build(), new Peer(List.of(), "127.0.0.1:1"));
    }

    private List<SpanData> told(String name) {
        return exported.getFinishedSpanItems().stream()
                .filter(span -> span.getName().equals(name))
                .toList();
    }

    private List<String> outcomes() {
        return told("xds.push").stream()
                .map(span -> text(span, "bodyguard.xds.outcome"))
                .toList();
    }

    private static String text(SpanData span, String key) {
        return String.valueOf(span.getAttributes().get(AttributeKey.stringKey(key)));
    }
}
