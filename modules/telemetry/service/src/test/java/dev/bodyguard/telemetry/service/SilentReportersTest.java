package dev.bodyguard.telemetry.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
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
    private static final Duration PATIENCE = Duration.ofSeconds(4);

    private final LinkedBlockingQueue<String> refused = new LinkedBlockingQueue<>();
    private final List<HttpClient> clients = new ArrayList<>();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
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
        var reading = new Reading(PATIENCE);
        var _ = timer.scheduleWithFixedDelay(reading::endLate, 100, 100, TimeUnit.MILLISECONDS);
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
        var silent = new ArrayList<CompletableFuture<HttpResponse<byte[]>>>();
        for (int i = 0; i < 12; i++) {
            silent.add(sayNothing(mallory.get(i % 2), version));
        }
        // Four of them find all of mallory's places taken: then it is known that the others are being read.
        assertThat(refused.poll(20, TimeUnit.SECONDS)).contains("mallory", "too many reports at once");

        var answer = client("checkout")
                .send(
                        post().POST(BodyPublishers.ofByteArray(
                                        Given.requests("source", "200", 7).toByteArray()))
                                .build(),
                        BodyHandlers.ofByteArray());

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(topology.edges()).hasSize(1);
        for (var report : silent) {
            assertThat(ended(report)).isIn(408, 503, BROKEN);
        }
        assertThat(refused).anySatisfy(line -> assertThat(line).contains("did not arrive within 4000 ms"));
    }

    @Test
    void haveTheirPlacesBackOnceTheyWereGivenUp() throws Exception {
        var mallory = client("mallory");
        var silent = new ArrayList<CompletableFuture<HttpResponse<byte[]>>>();
        for (int i = 0; i < 8; i++) {
            silent.add(sayNothing(mallory, HttpClient.Version.HTTP_2));
        }
        for (var report : silent) {
            assertThat(ended(report)).isIn(408, BROKEN);
        }

        var answer = client("mallory")
                .send(post().POST(BodyPublishers.ofByteArray(new byte[0])).build(), BodyHandlers.ofByteArray());

        assertThat(answer.statusCode()).isEqualTo(200);
    }

    @Test
    void areWaitedForNoLongerWhereTheirBodyIsNotEvenWanted() throws Exception {
        var tls = authority.tls(authority.svid("default", "mallory")).getSocketFactory();
        try (var socket = tls.createSocket("127.0.0.1", server.port())) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write("""
                POST /v1/metrics HTTP/1.1\r
                Host: telemetry\r
                Content-Type: text/plain\r
                Content-Length: 1000\r
                \r
                """.getBytes(StandardCharsets.US_ASCII));
            long begun = System.nanoTime();

            var answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);

            assertThat(answer).startsWith("HTTP/1.1 415");
            assertThat(Duration.ofNanos(System.nanoTime() - begun))
                    .isBetween(Duration.ofSeconds(1), PATIENCE.multipliedBy(3));
        }
    }

    /// What became of a connection that was closed, or that its client gave up: Java's does not read an answer before
    /// its body is sent.
    private static final int BROKEN = -1;

    private static int ended(CompletableFuture<HttpResponse<byte[]>> report) throws Exception {
        try {
            return report.orTimeout(30, TimeUnit.SECONDS).join().statusCode();
        } catch (CompletionException broken) {
            assertThat(broken).hasCauseInstanceOf(IOException.class);
            return BROKEN;
        }
    }

    private CompletableFuture<HttpResponse<byte[]>> sayNothing(HttpClient client, HttpClient.Version version) {
        return client.sendAsync(
                post().timeout(PATIENCE.multipliedBy(2))
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
