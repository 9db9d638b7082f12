package dev.bodyguard.cli;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The mesh of one machine as its state folder and its admin ports tell of it, at this moment.
///
/// @param admin the control plane's admin address, null where its file is missing
/// @param plane why the control plane is not ready; empty when it is
/// @param proxies every workload that ever started here and was not ended in order, by name
/// @param problems what authors got wrong, worst first as the control plane tells them
record LocalMesh(Path state, @Nullable String admin, String plane, List<Proxy> proxies, List<Problem> problems) {
    private static final Duration PATIENCE = Duration.ofSeconds(3);

    LocalMesh {
        proxies = List.copyOf(proxies);
        problems = List.copyOf(problems);
    }

    /// One sidecar.
    ///
    /// @param alive whether its process runs
    /// @param connected whether the control plane holds its configuration stream
    /// @param inSync whether all that was sent to it is in force there
    /// @param certificateSeconds until its certificate expires; NaN where it did not say
    /// @param troubles why it is not ready, what it refused; empty when all is well
    record Proxy(
            String name,
            String spiffeId,
            long pid,
            String admin,
            boolean alive,
            boolean connected,
            boolean inSync,
            double certificateSeconds,
            List<String> troubles) {
        Proxy {
            troubles = List.copyOf(troubles);
        }

        boolean isWell() {
            return alive && connected && inSync && troubles.isEmpty();
        }
    }

    /// What an author got wrong.
    record Problem(String severity, String sentence) {}

    /// Reads everything once.
    static LocalMesh read(Path state) {
        mustBeThere(state);
        try (var http = client()) {
            var plane = file(state.resolve("control-plane.json"));
            if (plane.isEmpty()) {
                return new LocalMesh(
                        state,
                        null,
                        "no control plane runs on " + state + "; start `bodyguard run -f DIR --state " + state + "`",
                        proxies(state, http, Map.of()),
                        List.of());
            }
            var admin = text(plane, "admin");
            return new LocalMesh(
                    state,
                    admin,
                    readiness(http, admin, "the control plane (pid " + number(plane, "pid") + ")"),
                    proxies(state, http, streams(http, admin)),
                    problems(http, admin));
        }
    }

    static void mustBeThere(Path state) {
        if (!Files.isDirectory(state)) {
            throw new Failure(state + ": there is no such folder; --state names the one that `bodyguard run` or"
                    + " `bodyguard demo` was given");
        }
    }

    static HttpClient client() {
        return HttpClient.newBuilder().connectTimeout(PATIENCE).build();
    }

    private static List<Proxy> proxies(Path state, HttpClient http, Map<String, Map<?, ?>> streams) {
        var found = new ArrayList<Proxy>();
        var folder = state.resolve("sidecars");
        if (!Files.isDirectory(folder)) {
            return found;
        }
        try (var workloads = Files.list(folder)) {
            for (var workload : workloads.sorted().toList()) {
                var told = file(workload.resolve("sidecar.json"));
                if (!told.isEmpty()) {
                    var name = String.valueOf(workload.getFileName());
                    found.add(proxy(http, name, told, streams.get(name)));
                }
            }
            return found;
        } catch (IOException unreadable) {
            throw new Failure(folder + " cannot be read: " + unreadable.getMessage());
        }
    }

    private static Proxy proxy(HttpClient http, String name, Map<?, ?> told, @Nullable Map<?, ?> stream) {
        long pid = number(told, "pid");
        var admin = text(told, "admin");
        boolean alive = ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
        var troubles = new ArrayList<String>();
        double certificate = Double.NaN;
        if (!alive) {
            troubles.add("its sidecar, pid " + pid + ", does not run any more");
        } else {
            var unready = readiness(http, admin, "its sidecar, pid " + pid + ",");
            unready.lines().forEach(troubles::add);
            certificate = certificate(http, admin);
            if (certificate <= 0) {
                troubles.add("its certificate has expired");
            }
        }
        if (alive && stream == null) {
            troubles.add("the control plane has no configuration stream of it; it serves by what it has");
        }
        if (stream != null && stream.get("refused") instanceof List<?> refused) {
            for (var item : refused) {
                if (item instanceof Map<?, ?> resource) {
                    troubles.add("it refused " + text(resource, "name") + ": " + text(resource, "why"));
                }
            }
        }
        return new Proxy(
                name,
                text(told, "spiffeId"),
                pid,
                admin,
                alive,
                stream != null,
                stream != null && Boolean.TRUE.equals(stream.get("inForce")),
                certificate,
                troubles);
    }

    /// The control plane's configuration streams, by the workload's name in the node id.
    private static Map<String, Map<?, ?>> streams(HttpClient http, String admin) {
        var streams = new LinkedHashMap<String, Map<?, ?>>();
        for (var item : Json.list(get(http, admin, "/proxies").body())) {
            if (item instanceof Map<?, ?> proxy) {
                var parts = text(proxy, "node").split("~", -1);
                if (parts.length == 4) {
                    int dot = parts[2].lastIndexOf('.');
                    streams.put(dot < 0 ? parts[2] : parts[2].substring(0, dot), proxy);
                }
            }
        }
        return streams;
    }

    private static List<Problem> problems(HttpClient http, String admin) {
        var problems = new ArrayList<Problem>();
        for (var item : Json.list(get(http, admin, "/problems").body())) {
            if (item instanceof Map<?, ?> problem) {
                problems.add(new Problem(text(problem, "severity"), text(problem, "problem")));
            }
        }
        return problems;
    }

    private static double certificate(HttpClient http, String admin) {
        var metrics = get(http, admin, "/metrics");
        return metrics.status() == 200
                ? Metrics.parse(metrics.body()).sum("cert_expiry_seconds", _ -> true)
                : Double.NaN;
    }

    private static String readiness(HttpClient http, String admin, String who) {
        var ready = get(http, admin, "/healthz/ready");
        return switch (ready.status()) {
            case 200 -> "";
            case 0 -> who + " does not answer on " + admin + ": " + ready.body();
            default -> ready.body().strip();
        };
    }

    /// An answer, or status 0 and why there is none.
    record Reply(int status, String body) {}

    static Reply get(HttpClient http, String address, String path) {
        try {
            var request = HttpRequest.newBuilder(URI.create("http://" + address + path))
                    .timeout(PATIENCE)
                    .build();
            HttpResponse<String> response = http.send(request, BodyHandlers.ofString());
            return new Reply(response.statusCode(), response.body());
        } catch (IOException | IllegalArgumentException silent) {
            return new Reply(0, String.valueOf(silent.getMessage() == null ? silent : silent.getMessage()));
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            throw new Failure("interrupted");
        }
    }

    static Map<?, ?> file(Path file) {
        try {
            return Json.object(Files.readString(file));
        } catch (NoSuchFileException _) {
            return Map.of();
        } catch (IOException unreadable) {
            throw new Failure(file + " cannot be read: " + unreadable.getMessage());
        }
    }

    static String text(Map<?, ?> object, String field) {
        return object.get(field) instanceof String text ? text : "";
    }

    static long number(Map<?, ?> object, String field) {
        return object.get(field) instanceof Number number ? number.longValue() : -1;
    }
}
