package dev.bodyguard.tracing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.opentelemetry.api.trace.Tracer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class TracingTest {
    private final BlockingQueue<String> received = new LinkedBlockingQueue<>();
    private HttpServer collector;

    @BeforeEach
    void listen() throws IOException {
        collector = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        collector.createContext("/", exchange -> {
            received.add(exchange.getRequestURI() + " "
                    + new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.ISO_8859_1));
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        collector.start();
    }

    @AfterEach
    void close() {
        collector.stop(0);
    }

    @Test
    void withoutAnEndpointSpansAreNothing() throws IOException {
        try (var tracing = Tracing.start("bodyguard-config", Map.of("OTEL_SERVICE_NAME", "mesh"))) {
            var span = tracing.tracer("test").spanBuilder("nothing").startSpan();

            assertThat(span.isRecording()).isFalse();
            assertThat(span.getSpanContext().isValid()).isFalse();
        }
    }

    @Test
    void spansGoToTheEndpoint() throws Exception {
        try (var tracing = Tracing.start("bodyguard-config", to(collector.getAddress(), Map.of()))) {
            spans(1, tracing.tracer("test.scope"));

            assertThat(next())
                    .startsWith("/v1/traces ")
                    .contains("test.span", "test.scope", "bodyguard-config", "service.version", "service.instance.id");
        }
    }

    @Test
    void theOperatorsNamesGoBeforeOurs() throws Exception {
        var told = Map.of(
                "OTEL_SERVICE_NAME", "payments-mesh",
                "OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=config-7f,deployment.environment.name=prod");

        try (var tracing = Tracing.start("bodyguard-config", to(collector.getAddress(), told))) {
            spans(1, tracing.tracer("test"));

            assertThat(next())
                    .contains("payments-mesh", "config-7f", "deployment.environment.name", "prod")
                    .doesNotContain("bodyguard-config");
        }
    }

    @Test
    void neitherMetricsNorLogsAreExportedWhateverTheVariablesSay() throws Exception {
        var told = Map.of(
                "OTEL_METRICS_EXPORTER", "otlp", "OTEL_LOGS_EXPORTER", "otlp", "OTEL_METRIC_EXPORT_INTERVAL", "10");

        try (var tracing = Tracing.start("bodyguard", to(collector.getAddress(), told))) {
            spans(1, tracing.tracer("test"));

            assertThat(next()).startsWith("/v1/traces ");
        }
        assertThat(received).isEmpty();
    }

    @Test
    void aDisabledSdkAndASamplerThatSaysNoExportNothing() throws IOException {
        for (var told : List.of(Map.of("OTEL_SDK_DISABLED", "true"), Map.of("OTEL_TRACES_SAMPLER", "always_off"))) {
            try (var tracing = Tracing.start("bodyguard", to(collector.getAddress(), told))) {
                spans(1, tracing.tracer("test"));
            }
        }

        assertThat(received).isEmpty();
    }

    @Test
    void aWrongVariableIsSaidWithItsValue() {
        assertThatThrownBy(() -> Tracing.start("bodyguard", Map.of("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("tracing")
                .hasMessageContaining("collector:4317");
        assertThatThrownBy(() -> Tracing.start(
                        "bodyguard", to(collector.getAddress(), Map.of("OTEL_TRACES_SAMPLER", "sometimes"))))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("sometimes");
    }

    @Test
    void aCollectorThatHangsHoldsUpNeitherWorkNorTheEnd() throws IOException {
        try (var silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            var address = new InetSocketAddress(silent.getInetAddress(), silent.getLocalPort());
            long began = System.nanoTime();

            try (var tracing = Tracing.start("bodyguard", to(address, Map.of()))) {
                spans(100_000, tracing.tracer("test"));
            }

            // The exporter's own patience is ten seconds.
            assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(8));
        }
    }

    private String next() throws InterruptedException {
        return Objects.requireNonNull(received.poll(20, TimeUnit.SECONDS), "nothing came within 20 s");
    }

    private static void spans(int count, Tracer tracer) {
        for (int i = 0; i < count; i++) {
            tracer.spanBuilder("test.span").startSpan().end();
        }
    }

    private static Map<String, String> to(InetSocketAddress collector, Map<String, String> more) {
        var told = new HashMap<>(more);
        told.put(
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "http://" + collector.getAddress().getHostAddress() + ":" + collector.getPort());
        told.put("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
        told.put("OTEL_BSP_SCHEDULE_DELAY", "20");
        return told;
    }
}
