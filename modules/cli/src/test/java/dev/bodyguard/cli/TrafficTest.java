package dev.bodyguard.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class TrafficTest {
    /// Answers like checkout, every tenth request with 503.
    private static final class Entry implements AutoCloseable {
        private final ServerSocket listener = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
        private final AtomicInteger received = new AtomicInteger();

        Entry() throws IOException {
            Thread.ofVirtual().start(() -> {
                try {
                    while (true) {
                        var socket = listener.accept();
                        Thread.ofVirtual().start(() -> answerAll(socket));
                    }
                } catch (IOException _) {
                    // Closed.
                }
            });
        }

        URI uri() {
            return URI.create("http://127.0.0.1:" + listener.getLocalPort() + "/");
        }

        private void answerAll(Socket socket) {
            try (socket) {
                var lines =
                        new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
                for (String line; (line = lines.readLine()) != null; ) {
                    if (line.isEmpty()) {
                        var ok = received.incrementAndGet() % 10 != 0;
                        var body = ok ? "{\"paymentVersion\":\"v2\"}" : "no";
                        var head = "HTTP/1.1 " + (ok ? "200 OK" : "503 No") + "\r\nContent-Length: " + body.length()
                                + "\r\n\r\n";
                        socket.getOutputStream().write((head + body).getBytes(StandardCharsets.US_ASCII));
                    }
                }
            } catch (IOException _) {
                // The caller is gone.
            }
        }

        @Override
        public void close() throws IOException {
            listener.close();
        }
    }

    private static Progress drive(Entry entry, long requests, Duration time, int perSecond) throws Exception {
        try (var http = HttpClient.newHttpClient()) {
            var traffic = new Traffic(http, entry.uri(), requests, time, perSecond);
            traffic.start();
            assertThat(traffic.await(Duration.ofSeconds(50))).isTrue();
            return traffic.progress(new Scrapes(http, List.of(), URI.create("http://127.0.0.1:1/")));
        }
    }

    @Test
    void sendsExactlyTheRequestsAskedForAndCountsTheirOutcome() throws Exception {
        try (var entry = new Entry()) {
            var progress = drive(entry, 200, Duration.ofHours(1), 0);

            assertThat(entry.received).hasValue(200);
            assertThat(progress.requests()).isEqualTo(200);
            assertThat(progress.succeeded()).isEqualTo(180);
            assertThat(progress.byVersion()).containsOnlyKeys("v2").containsEntry("v2", 180L);
            assertThat(progress.p99Millis())
                    .isGreaterThanOrEqualTo(progress.p50Millis())
                    .isPositive();
        }
    }

    @Test
    void keepsToItsPaceAndEndsWhenItsTimeIsOver() throws Exception {
        try (var entry = new Entry()) {
            var progress = drive(entry, Long.MAX_VALUE, Duration.ofMillis(500), 100);

            assertThat(progress.requests()).isBetween(1L, 51L);
        }
    }
}
