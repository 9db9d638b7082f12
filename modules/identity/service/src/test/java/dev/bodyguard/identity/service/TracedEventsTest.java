package dev.bodyguard.identity.service;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.identity.spiffe.SpiffeId;
import io.grpc.Status;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TracedEventsTest {
    private final InMemorySpanExporter exported = InMemorySpanExporter.create();
    private final SdkTracerProvider provider = SdkTracerProvider.builder()
            .addSpanProcessor(SimpleSpanProcessor.create(exported))
            .build();
    private final TracedEvents events = new TracedEvents(provider.get("test"));

    @AfterEach
    void close() {
        provider.close();
    }

    @Test
    void aCertificateIsASpanThatSaysForWhomAndForHowLong() {
        events.issued(
                SpiffeId.ofServiceAccount("cluster.local", "default", "checkout"),
                "4f",
                Instant.now().plus(Duration.ofHours(24)),
                "127.0.0.1:4711",
                Duration.ofMillis(12));

        var span = exported.getFinishedSpanItems().getFirst();
        assertThat(span.getName()).isEqualTo("identity.sign");
        assertThat(span.getAttributes().get(AttributeKey.stringKey("bodyguard.service_account")))
                .isEqualTo("default/checkout");
        assertThat(span.getAttributes().get(AttributeKey.longKey("bodyguard.certificate.lifetime_s")))
                .isBetween(86_300L, 86_400L);
        assertThat(span.getEndEpochNanos() - span.getStartEpochNanos()).isGreaterThanOrEqualTo(12_000_000);
    }

    @Test
    void whatStrangersAskForInVainFillsNoQueue() {
        events.refused("default/checkout", Status.Code.UNAUTHENTICATED, "no token", "127.0.0.1:4711");

        assertThat(exported.getFinishedSpanItems()).isEmpty();
    }

    @Test
    void ourOwnFailureIsAnError() {
        events.failed("default/checkout", new IOException("disk full"), "127.0.0.1:4711", Duration.ofMillis(1));

        var span = exported.getFinishedSpanItems().getFirst();
        assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
        assertThat(span.getStatus().getDescription()).isEqualTo("java.io.IOException: disk full");
    }
}
