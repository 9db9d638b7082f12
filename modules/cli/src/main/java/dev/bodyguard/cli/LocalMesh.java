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
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A mesh as the state folder and the admin ports of its machine tell of it, at this moment.
///
/// @param admin the control plane's admin address, null where its file is missing
/// @param plane why the control plane is not ready; empty when it is
/// @param proxies every workload that ever started here and was not ended in order, by name; then whoever else has a
///     configuration stream, in the order in which they came
/// @param problems what authors got wrong, worst first as the control plane tells them
record LocalMesh(Path state, @Nullable String admin, String plane, List<Proxy> proxies, List<Problem> problems) {
    private static final Duration PATIENCE = Duration.ofSeconds(3);
    private static final String SIDECAR = "sidecar";

    LocalMesh {
        proxies = List.copyOf(proxies);
        problems = List.copyOf(problems);
    }

    /// Whoever is configured by the mesh: a sidecar, an Envoy, a program with gRPC's own xDS client.
    ///
    /// @param kind `sidecar`, `envoy` or `grpc`
    /// @param connected whether the control plane holds its configuration stream
    /// @param inSync whether all that was sent to it is in force there
    /// @param process what is known of it because it runs here; null of all others, of which only config knows
    /// @param troubles why it is not ready, what it refused; empty when all is well
    record Proxy(
            String kind,
            String name,
            String spiffeId,
            boolean connected,
            boolean inSync,
            @Nullable LocalProcess process,
            List<String> troubles) {
        Proxy {
            troubles = List.copyOf(troubles);
        }
    }

    /// A sidecar's process on this machine.
    ///
    /// @param certificateSeconds until its certificate expires; NaN where it did not say
    record LocalProcess(String admin, boolean alive, double certificateSeconds) {}

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
                        proxies(state, http, List.of()),
                        List.of());
            }
            var admin = text(plane, "admin");
            var ready = get(http, admin, "/healthz/ready");
            // Who has just been silent would be for all the rest.
            boolean speaks = ready.status() != 0;
            return new LocalMesh(
                    state,
                    admin,
                    readiness(ready, admin, "the control plane (pid " + number(plane, "pid") + ")"),
                    proxies(state, http, speaks ? streams(http, admin) : List.of()),
                    speaks ? problems(http, admin) : List.of());
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

    private static List<Proxy> proxies(Path state, HttpClient http, List<Map<?, ?>> streams) {
        var rest = new ArrayList<>(streams);
        var found = new ArrayList<Proxy>();
        for (var sidecar : LocalSidecar.in(state)) {
            var own = streams.stream()
                    .filter(stream -> text(stream, "kind").equals(SIDECAR)
                            && name(stream).equals(sidecar.name())
                            && id(stream).equals(sidecar.spiffeId()))
                    .toList();
            rest.removeAll(own);
            // Of one that has just come back the old stream may not be over yet.
            found.add(proxy(http, sidecar, own.isEmpty() ? null : own.getLast()));
        }
        rest.forEach(stream -> found.add(elsewhere(stream)));
        return found;
    }

    /// A proxy of which only config knows, by what it tells of its stream.
    static Proxy elsewhere(Map<?, ?> stream) {
        return new Proxy(text(stream, "kind"), name(stream), id(stream), true, inForce(stream), null, refused(stream));
    }

    private static Proxy proxy(HttpClient http, LocalSidecar sidecar, @Nullable Map<?, ?> stream) {
        var troubles = new ArrayList<String>();
        double certificate = Double.NaN;
        if (!sidecar.isAlive()) {
            troubles.add("its sidecar, pid " + sidecar.pid() + ", does not run any more");
        } else {
            var ready = get(http, sidecar.admin(), "/healthz/ready");
            readiness(ready, sidecar.admin(), "its sidecar, pid " + sidecar.pid() + ",")
                    .lines()
                    .forEach(troubles::add);
            // Who has just been silent would be for all the others.
            if (ready.status() != 0) {
                certificate = certificate(http, sidecar.admin());
                if (certificate <= 0) {
                    troubles.add("its certificate has expired");
                }
                problems(http, sidecar.admin()).forEach(problem -> troubles.add(problem.sentence()));
            }
            if (stream == null) {
                troubles.add("the control plane has no configuration stream of it; it serves by what it has");
            }
        }
        if (stream != null) {
            troubles.addAll(refused(stream));
        }
        return new Proxy(
                SIDECAR,
                sidecar.name(),
                sidecar.spiffeId(),
                stream != null,
                stream != null && inForce(stream),
                new LocalProcess(sidecar.admin(), sidecar.isAlive(), certificate),
                troubles);
    }

    /// The control plane's configuration streams, the oldest first.
    private static List<Map<?, ?>> streams(HttpClient http, String admin) {
        var streams = new ArrayList<Map<?, ?>>();
        for (var item : Json.list(get(http, admin, "/proxies").body())) {
            if (item instanceof Map<?, ?> stream) {
                streams.add(stream);
            }
        }
        return streams;
    }

    /// The workload's, where the node is called `kind~address~workload.namespace~domain`, else all of what it is
    /// called.
    private static String name(Map<?, ?> stream) {
        var node = text(stream, "node");
        var parts = node.split("~", -1);
        if (parts.length != 4) {
            return node;
        }
        int dot = parts[2].lastIndexOf('.');
        return dot < 0 ? parts[2] : parts[2].substring(0, dot);
    }

    private static String id(Map<?, ?> stream) {
        return text(stream, "peer").split(" at ", 2)[0];
    }

    private static boolean inForce(Map<?, ?> stream) {
        return Boolean.TRUE.equals(stream.get("inForce"));
    }

    private static List<String> refused(Map<?, ?> stream) {
        var troubles = new ArrayList<String>();
        if (stream.get("refused") instanceof List<?> refused) {
            for (var item : refused) {
                if (item instanceof Map<?, ?> resource) {
                    troubles.add("it refused " + text(resource, "name") + ": " + inOneLine(text(resource, "why")));
                }
            }
        }
        return troubles;
    }

    private static String inOneLine(String said) {
        return said.strip().replaceAll("\\s*\\R\\s*", "; ");
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

    private static String readiness(Reply ready, String admin, String who) {
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
