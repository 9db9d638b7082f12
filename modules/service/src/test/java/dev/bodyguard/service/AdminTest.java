package dev.bodyguard.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class AdminTest {
    private final AtomicReference<Optional<String>> unready = new AtomicReference<>(Optional.of("still reading"));
    private final Admin.Answers answers =
            new Admin.Answers(unready::get, () -> "up 1\n", Map.of("/things", () -> "[\"a\"]"));

    @Test
    void readinessMetricsAndStateAreAnsweredAsTheyAreNow() throws IOException {
        try (var admin = Admin.start("127.0.0.1", 0, answers)) {
            assertThat(get(admin, "/healthz/ready")).isEqualTo("503 not ready: still reading\n");
            unready.set(Optional.empty());

            assertThat(get(admin, "/healthz/ready")).isEqualTo("200 ready\n");
            assertThat(get(admin, "/metrics")).isEqualTo("200 up 1\n");
            assertThat(get(admin, "/things")).isEqualTo("200 [\"a\"]\n");
        }
    }

    @Test
    void aTakenPortIsNamedWithItsKeyAndItsOwner() throws IOException {
        try (var taken = new ServerSocket(0)) {
            assertThatThrownBy(() -> FreePort.require("127.0.0.1", taken.getLocalPort(), "BODYGUARD_ADMIN_PORT"))
                    .hasMessageStartingWith("port " + taken.getLocalPort() + " (BODYGUARD_ADMIN_PORT) is in use by pid "
                            + ProcessHandle.current().pid());
        }
    }

    private static String get(Admin admin, String path) throws IOException {
        var connection = (HttpURLConnection)
                URI.create("http://127.0.0.1:" + admin.port() + path).toURL().openConnection();
        int status = connection.getResponseCode();
        try (var body =
                Objects.requireNonNull(status < 400 ? connection.getInputStream() : connection.getErrorStream())) {
            return status + " " + new String(body.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
