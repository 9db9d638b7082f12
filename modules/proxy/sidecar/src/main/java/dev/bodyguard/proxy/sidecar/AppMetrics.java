package dev.bodyguard.proxy.sidecar;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.stream.Collectors;

/// The app's metrics and the sidecar's on one page, for a Prometheus that asks a pod once; blocks meanwhile.
///
/// What both tell of their process (`process_…`, and the sidecar's JVM) is the app's there: the sidecar's own has a
/// page without it, and one name twice makes a page unreadable.
///
/// @param url where the app tells its metrics
record AppMetrics(Optional<URI> url) {
    private static final int MILLIS = 3_000;
    private static final int MOST = 16 << 20;

    /// @param own the sidecar's, as Prometheus' text
    String merged(String own) {
        if (url.isEmpty()) {
            return own;
        }
        var rest = own.lines().filter(line -> !isOfProcess(line)).collect(Collectors.joining("\n", "", "\n"));
        try {
            return rest + up(1) + fetched(url.get());
        } catch (IOException gone) {
            return rest + up(0) + "# the app's metrics cannot be had: "
                    + String.valueOf(gone.getMessage()).replace('\n', ' ') + "\n";
        }
    }

    private static String up(int up) {
        return "# HELP bodyguard_app_metrics_up 1 where the app's own metrics follow, otherwise 0.\n"
                + "# TYPE bodyguard_app_metrics_up gauge\nbodyguard_app_metrics_up " + up + "\n";
    }

    private static boolean isOfProcess(String line) {
        var name = line.startsWith("# HELP ") || line.startsWith("# TYPE ") ? line.substring(7) : line;
        return name.startsWith("process_") || name.startsWith("jvm_");
    }

    private static String fetched(URI url) throws IOException {
        if (!(url.toURL().openConnection() instanceof HttpURLConnection connection)) {
            throw new IOException("not an address of HTTP: " + url);
        }
        connection.setConnectTimeout(MILLIS);
        connection.setReadTimeout(MILLIS);
        connection.setRequestProperty("Accept", "text/plain;version=0.0.4");
        try {
            if (connection.getResponseCode() != 200) {
                throw new IOException(url + " answered " + connection.getResponseCode());
            }
            try (var in = connection.getInputStream()) {
                byte[] body = in.readNBytes(MOST + 1);
                if (body.length > MOST) {
                    throw new IOException(url + " has more than " + MOST + " bytes");
                }
                var text = new String(body, StandardCharsets.UTF_8);
                return text.endsWith("\n") || text.isEmpty() ? text : text + "\n";
            }
        } finally {
            connection.disconnect();
        }
    }
}
