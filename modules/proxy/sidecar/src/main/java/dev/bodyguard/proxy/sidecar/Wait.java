package dev.bodyguard.proxy.sidecar;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.time.Duration;

/// What a container of the sidecar runs after its start where it stands among the app's own ones (`postStart`): ends
/// once the
/// sidecar is ready, before which the kubelet starts no further container. Ends with status 1 after a minute, upon
/// which the
/// kubelet ends the container and says so in an event. Stands alone: a small JVM beside the sidecar's.
public final class Wait {
    private static final URI READY = URI.create("http://127.0.0.1:15021/healthz/ready");
    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final Duration PAUSE = Duration.ofMillis(200);
    private static final int ANSWER_MS = 2_000;

    private Wait() {}

    /// Waits.
    public static void main(String[] arguments) throws InterruptedException {
        long until = System.nanoTime() + PATIENCE.toNanos();
        var last = ask();
        while (!last.isEmpty()) {
            if (System.nanoTime() > until) {
                System.err.println("the sidecar is not ready after " + PATIENCE.toSeconds() + " s: " + READY + " "
                        + last + "; its log says why");
                System.exit(1);
            }
            Thread.sleep(PAUSE);
            last = ask();
        }
    }

    /// What stands against it; empty where the sidecar is ready.
    private static String ask() {
        try {
            var connection = (HttpURLConnection) READY.toURL().openConnection();
            connection.setConnectTimeout(ANSWER_MS);
            connection.setReadTimeout(ANSWER_MS);
            int status = connection.getResponseCode();
            connection.disconnect();
            return status == HttpURLConnection.HTTP_OK ? "" : "answers " + status;
        } catch (IOException notYet) {
            return "does not answer (" + notYet.getMessage() + ")";
        }
    }
}
