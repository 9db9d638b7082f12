package dev.bodyguard.telemetry.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Members that announce a body and do not send it.
@Execution(ExecutionMode.CONCURRENT)
class SilentReportersTest {
    private static final Duration PATIENCE = Duration.ofSeconds(1);

    private final LinkedBlockingQueue<String> refused = new LinkedBlockingQueue<>();
    private final List<HttpClient> clients = new ArrayList<>();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final Reading reading = new Reading(PATIENCE);
    private TestAuthority authority;
    private Topology topology;
    private OtlpServer server;

    @BeforeEach
    void start() throws IOException {
        authority = new TestAuthority();
        topology =
                new Topology(new Shares(10, 10), new Shares(100, 100), InstantSource.system(), new Topology.Listener() {
                    @Override
                    public void began(EdgeKey edge) {}

                    @Override
                    public void ended(EdgeKey edge) {}
                });
        var svid = authority.svid("bodyguard-system", "telemetry");
        server = OtlpServer.start(
                "127.0.0.1",
                0,
                () -> svid,
                InstantSource.system(),
                new Intake(topology, _ -> {}),
                reading,
                new Refusals(refused));
    }

    @AfterEach
    void stop() {
        clients.forEach(HttpClient::shutdownNow);
        server.close();
        timer.shutdownNow();
    }

    @ParameterizedTest
    @EnumSource(HttpClient.Version.class)
    void silenceNobodyElse(HttpClient.Version version) throws Exception {
        var mallory = List.of(client("mallory"), client("mallory"));
        for (int i = 0; i < 12; i++) {
            sayNothing(mallory.get(i % 2), version);
        }
        // All of mallory's places are taken, which nobody ends yet.
        for (int i = 0; i < 4; i++) {
            assertThat(nextRefusal()).contains("mallory", "too many reports at once");
        }

        var answer = client("checkout")
                .send(
                        post().POST(BodyPublishers.ofByteArray(
                                        Given.requests("source", "200", 7).toByteArray()))
                                .build(),
                        BodyHandlers.ofByteArray());

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(topology.edges()).hasSize(1);
        endWhatIsLate();
        for (int i = 0; i < 8; i++) {
            assertThat(nextRefusal()).contains("mallory", "did not arrive within 1000 ms");
        }
    }

    @Test
    void haveTheirPlacesBackOnceTheyWereGivenUp() throws Exception {
        var mallory = client("mallory");
        for (int i = 0; i < 8; i++) {
            sayNothing(mallory, HttpClient.Version.HTTP_2);
        }
        endWhatIsLate();
        for (int i = 0; i < 8; i++) {
            assertThat(nextRefusal()).contains("did not arrive within 1000 ms");
        }

        var answer = client("mallory")
                .send(post().POST(BodyPublishers.ofByteArray(new byte[0])).build(), BodyHandlers.ofByteArray());

        assertThat(answer.statusCode()).isEqualTo(200);
    }

    @Test
    void areWaitedForNoLongerWhereTheirBodyIsNotEvenWanted() throws Exception {
        endWhatIsLate();
        var tls = authority.tls(authority.svid("default", "mallory")).getSocketFactory();
        try (var socket = tls.createSocket("127.0.0.1", server.port())) {
            // Less than the server lets connections be idle.
            socket.setSoTimeout(20_000);
            long begun = System.nanoTime();
            socket.getOutputStream().write("""
                POST /v1/metrics HTTP/1.1\r
                Host: telemetry\r
                Content-Type: text/plain\r
                Content-Length: 1000\r
                \r
                """.getBytes(StandardCharsets.US_ASCII));

            var answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);

            assertThat(answer).startsWith("HTTP/1.1 415");
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isGreaterThanOrEqualTo(PATIENCE);
        }
    }

    private void endWhatIsLate() {
        var _ = timer.scheduleWithFixedDelay(reading::endLate, 0, 100, TimeUnit.MILLISECONDS);
    }

    private String nextRefusal() throws InterruptedException {
        var line = refused.poll(30, TimeUnit.SECONDS);
        assertThat(line).isNotNull();
        return line;
    }

    private void sayNothing(HttpClient client, HttpClient.Version version) {
        var _ = client.sendAsync(
                post().timeout(Duration.ofMinutes(1))
                        .version(version)
                        .POST(BodyPublishers.fromPublisher(
                                subscriber -> subscriber.onSubscribe(new NeverAnything()), 1_000))
                        .build(),
                BodyHandlers.ofByteArray());
    }

    private record NeverAnything() implements Flow.Subscription {
        @Override
        public void request(long count) {}

        @Override
        public void cancel() {}
    }

    private HttpRequest.Builder post() {
        return HttpRequest.newBuilder(URI.create("https://127.0.0.1:" + server.port() + "/v1/metrics"))
                .header("Content-Type", "application/x-protobuf")
                .timeout(Duration.ofSeconds(20));
    }

    private HttpClient client(String account) throws IOException {
        var client = authority.client(authority.svid("default", account));
        clients.add(client);
        return client;
    }

    private record Refusals(LinkedBlockingQueue<String> lines) implements Events {
        @Override
        public void refused(String peer, String why) {
            lines.add(peer + ": " + why);
        }

        @Override
        public void exportFailed(String target, String why, Duration retryIn) {}

        @Override
        public void exported(String target, int spans, Duration took) {}

        @Override
        public void exportRefused(String target, String why, int spans, Duration took) {}

        @Override
        public void exportResumed(String target) {}
    }
}
