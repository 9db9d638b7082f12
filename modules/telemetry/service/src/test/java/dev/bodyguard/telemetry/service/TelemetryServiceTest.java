package dev.bodyguard.telemetry.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.MessageLite;
import io.helidon.http.Status;
import io.helidon.webserver.WebServer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.opentelemetry.api.trace.TracerProvider;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceResponse;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

@Execution(ExecutionMode.CONCURRENT)
class TelemetryServiceTest {
    private final HttpClient plain = HttpClient.newHttpClient();
    private final LinkedBlockingQueue<byte[]> exported = new LinkedBlockingQueue<>();
    private TestAuthority authority;
    private WebServer collector;
    private final AtomicReference<Duration> later = new AtomicReference<>(Duration.ZERO);
    private volatile int collectorSays = 202;
    private TelemetryService service;
    private HttpClient checkout;

    @BeforeEach
    void start() throws IOException {
        authority = new TestAuthority();
        collector = WebServer.builder()
                .host("127.0.0.1")
                .port(0)
                .shutdownHook(false)
                .routing(routes -> routes.any((request, response) -> {
                    byte[] body = request.content().as(byte[].class);
                    response.status(Status.create(collectorSays)).send();
                    exported.add(body);
                }))
                .build()
                .start();
        var at = "http://127.0.0.1:" + collector.port();
        var svid = authority.svid("bodyguard-system", "telemetry");
        service = TelemetryService.start(
                new Settings(
                        "127.0.0.1",
                        0,
                        0,
                        List.of(
                                TraceExport.parse("zipkin=" + at + "/api/v2/spans"),
                                TraceExport.parse("otlp=" + at + "/v1/traces"))),
                () -> svid,
                new PrometheusMeterRegistry(PrometheusConfig.DEFAULT),
                new LoggedEvents(System.getLogger("test"), TracerProvider.noop().get("test")),
                () -> Instant.now().plus(later.get()));
        checkout = authority.client(authority.svid("default", "checkout"));
    }

    @AfterEach
    void stop() {
        service.close();
        collector.stop();
        checkout.close();
        plain.close();
    }

    @Test
    void whatASidecarReportsIsInTheSummaryAndInPrometheus() throws Exception {
        var answer = post(checkout, "/v1/metrics", Given.requests("source", "200", 7));

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.version()).isEqualTo(HttpClient.Version.HTTP_2);
        assertThat(answer.body()).isEmpty();
        assertThat(get("/api/summary"))
                .contains(
                        "\"windowSeconds\":60", "\"name\":\"checkout-v1\"", "\"principal\":\"" + Given.CHECKOUT + "\"")
                .contains("\"source\":\"checkout-v1\"", "\"destination\":\"payment-a\"", "\"requests\":7")
                .contains("\"successRate\":1", "\"mtls\":1", "\"responses\":{\"200\":7}", "\"spans\":0");
        assertThat(get("/metrics"))
                .containsPattern("bodyguard_mesh_requests_total\\{destination=\"payment-a\".*} 7.0")
                .contains("bodyguard_telemetry_points_received_total 1.0");
        assertThat(get("/")).startsWith("<!doctype html>");
    }

    @Test
    void nobodySpeaksForAnother() throws Exception {
        var mallory = authority.client(authority.svid("default", "mallory"));

        var answer = post(mallory, "/v1/metrics", Given.requests("source", "200", 7));

        var partly = ExportMetricsServiceResponse.parseFrom(answer.body()).getPartialSuccess();
        assertThat(partly.getRejectedDataPoints()).isEqualTo(1);
        assertThat(get("/api/summary")).contains("\"edges\":[]");
    }

    @Test
    void whoeverDoesNotSayWhoItIsSpeaksForNobody() throws Exception {
        for (var report : List.of(
                Given.requestsWithout("source_principal"), Given.requestsWithout("source_workload_namespace"))) {
            var answer = post(checkout, "/v1/metrics", report);

            var partly = ExportMetricsServiceResponse.parseFrom(answer.body()).getPartialSuccess();
            assertThat(partly.getRejectedDataPoints()).isEqualTo(1);
        }
        assertThat(get("/api/summary")).contains("\"edges\":[]");
    }

    @Test
    void codesThatNoServerGivesAreOne() throws Exception {
        for (int i = 0; i < 50; i++) {
            var _ = post(checkout, "/v1/metrics", Given.requests("source", "made-up-" + i, 1));
        }

        assertThat(get("/api/summary")).contains("\"responses\":{\"other\":50}");
    }

    @Test
    void edgesOfLongAgoEndThoughNobodyReadsTheSummary() throws Exception {
        var _ = post(checkout, "/v1/metrics", Given.requests("source", "200", 7));
        assertThat(get("/metrics")).contains("bodyguard_mesh_requests_total");

        later.set(Duration.ofHours(2));

        long until = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (get("/metrics").contains("bodyguard_mesh_requests_total")) {
            assertThat(System.nanoTime() - until).isNegative();
        }
    }

    @Test
    void whoeverHasNoSvidIsNotHeard() {
        assertThatThrownBy(() -> post(authority.client(null), "/v1/metrics", Given.requests("source", "200", 7)))
                .isInstanceOf(IOException.class);
        assertThatThrownBy(() -> plain.send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + service.otlpPort() + "/v1/metrics"))
                                .POST(BodyPublishers.ofByteArray(new byte[0]))
                                .timeout(Duration.ofSeconds(5))
                                .build(),
                        BodyHandlers.discarding()))
                .isInstanceOf(IOException.class);
    }

    @Test
    void hostileBytesAreRefusedAndTheServiceGoesOn() throws Exception {
        var random = new Random(7);
        for (int i = 0; i < 200; i++) {
            var bytes = new byte[random.nextInt(300)];
            random.nextBytes(bytes);
            assertThat(post(checkout, i % 2 == 0 ? "/v1/metrics" : "/v1/traces", bytes, null)
                            .statusCode())
                    .isIn(200, 400);
        }
        assertThat(post(checkout, "/v1/traces", new byte[Body.MOST + 1], null).statusCode())
                .isEqualTo(413);
        assertThat(post(checkout, "/v1/traces", gzip(new byte[64 << 20]), "gzip")
                        .statusCode())
                .isEqualTo(413);
        assertThat(post(checkout, "/v1/traces", new byte[100], "gzip").statusCode())
                .isEqualTo(400);
        assertThat(post(checkout, "/v1/traces", new byte[100], "br").statusCode())
                .isEqualTo(415);
        // Attributes within attributes, without end.
        var nested = new byte[900_000];
        for (int i = 0; i < nested.length; i++) {
            nested[i] = 0x0a;
        }
        assertThat(post(checkout, "/v1/metrics", nested, null).statusCode()).isEqualTo(400);

        var bytes = gzip(Given.requests("source", "200", 3).toByteArray());
        assertThat(post(checkout, "/v1/metrics", bytes, "gzip").statusCode()).isEqualTo(200);
        assertThat(get("/api/summary")).contains("\"requests\":3");
    }

    @Test
    void spansGoOnToZipkinAndByOtlp() throws Exception {
        assertThat(post(checkout, "/v1/traces", Given.span("GET payment-service"))
                        .statusCode())
                .isEqualTo(200);

        var bodies = List.of(next(), next());
        var json = bodies.stream()
                .map(String::new)
                .filter(body -> body.startsWith("["))
                .findFirst()
                .orElseThrow();
        assertThat(json)
                .contains(
                        "\"traceId\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"id\":\"00f067aa0ba902b7\","
                                + "\"parentId\":\"0000000000000007\",\"kind\":\"CLIENT\"",
                        "\"timestamp\":1767323045678000,\"duration\":12000",
                        "\"localEndpoint\":{\"serviceName\":\"checkout\"}",
                        "\"remoteEndpoint\":{\"serviceName\":\"payment-service\"}",
                        "\"http.method\":\"GET\"",
                        "\"http.status_code\":\"503\"",
                        "\"bodyguard.principal\":\"" + Given.CHECKOUT + "\"",
                        "\"otel.status_description\":\"no \\\"healthy\\\" endpoint\"");
        var otlp = bodies.stream()
                .filter(body -> !new String(body, StandardCharsets.UTF_8).startsWith("["))
                .findFirst()
                .orElseThrow();
        assertThat(ExportTraceServiceRequest.parseFrom(otlp)
                        .getResourceSpans(0)
                        .getScopeSpans(0)
                        .getSpans(0)
                        .getName())
                .isEqualTo("GET payment-service");
        assertThat(get("/api/summary"))
                .as("edges are counted by metrics, never by spans")
                .contains("\"spans\":1", "\"edges\":[]");
    }

    @Test
    void spansThatCouldNotBeHandedOnAreTriedAgain() throws Exception {
        collectorSays = 503;
        var _ = post(checkout, "/v1/traces", Given.span("again"));
        var _ = next();
        collectorSays = 202;

        // Two fail, then each of the two comes again.
        var _ = next();
        assertThat(new String(next(), StandardCharsets.UTF_8)).contains("again");
    }

    private byte[] next() throws InterruptedException {
        var body = exported.poll(30, TimeUnit.SECONDS);
        assertThat(body).isNotNull();
        return body;
    }

    private String get(String path) throws Exception {
        var answer = plain.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + service.port() + path))
                        .build(),
                BodyHandlers.ofString());
        assertThat(answer.statusCode()).isEqualTo(200);
        return answer.body();
    }

    private HttpResponse<byte[]> post(HttpClient client, String path, MessageLite body) throws Exception {
        return post(client, path, body.toByteArray(), null);
    }

    private HttpResponse<byte[]> post(HttpClient client, String path, byte[] body, @Nullable String encoding)
            throws Exception {
        var request = HttpRequest.newBuilder(URI.create("https://127.0.0.1:" + service.otlpPort() + path))
                .header("Content-Type", "application/x-protobuf")
                .timeout(Duration.ofSeconds(30))
                .POST(BodyPublishers.ofByteArray(body));
        if (encoding != null) {
            request.header("Content-Encoding", encoding);
        }
        return client.send(request.build(), BodyHandlers.ofByteArray());
    }

    private static byte[] gzip(byte[] bytes) throws IOException {
        var to = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(to)) {
            gzip.write(bytes);
        }
        return to.toByteArray();
    }
}
