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
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A mesh as the state folder and the admin ports of its machine tell of it, at this moment.
///
/// @param proxies every workload that ever started here and was not ended in order, by name; then whoever else
///     has a configuration stream, in the order in which they came; then whoever else had one, as long as
///     config remembers it
record LocalMesh(Path state, Plane plane, List<Proxy> proxies) {
    private static final Duration PATIENCE = Duration.ofSeconds(3);
    private static final String SIDECAR = "sidecar";
    /// Where the control plane says where it is.
    static final String CONTROL_PLANE = "control-plane.json";

    LocalMesh {
        proxies = List.copyOf(proxies);
    }

    /// The control plane.
    sealed interface Plane {
        /// Why it is not ready; empty when it is.
        String trouble();

        /// It tells of itself.
        ///
        /// @param problems what authors got wrong, or is not in force all the same; worst first
        record Answers(String admin, String trouble, List<Trouble> problems) implements Plane {
            public Answers {
                problems = List.copyOf(problems);
            }
        }

        /// There is none, or it says nothing: nobody knows what it has in force.
        record Silent(String trouble) implements Plane {}
    }

    /// Whoever is configured by the mesh: a sidecar, an Envoy, a program with gRPC's own xDS client.
    ///
    /// @param kind `sidecar`, `envoy` or `grpc`
    /// @param connected whether the control plane holds its configuration stream
    /// @param inSync whether all that was sent to it is in force there
    /// @param process what is known of it because it runs here; null of all others, of which only config knows
    /// @param troubles why it is not ready or not there, what it refused; its certificate tells its own
    record Proxy(
            String kind,
            String name,
            String spiffeId,
            boolean connected,
            boolean inSync,
            Certificate certificate,
            @Nullable LocalProcess process,
            List<Trouble> troubles) {
        Proxy {
            troubles = List.copyOf(troubles);
        }

        /// Those of its certificate first.
        List<Trouble> allTroubles() {
            return certificate instanceof Certificate.Left(var _, var its)
                    ? Stream.concat(its.stream(), troubles.stream()).toList()
                    : troubles;
        }
    }

    /// How long a proxy's certificate lives, as far as anybody here knows.
    sealed interface Certificate {
        /// By its own word.
        ///
        /// @param seconds until it expires
        /// @param troubles why it is not renewed in time
        record Left(double seconds, List<Trouble> troubles) implements Certificate {
            public Left {
                troubles = List.copyOf(troubles);
            }
        }

        /// The one with which its stream was made, which it may have renewed since.
        record CameWith(Instant until) implements Certificate {}

        record Unknown() implements Certificate {}
    }

    /// A sidecar's process on this machine.
    record LocalProcess(String admin, boolean alive) {}

    enum Severity {
        /// It may be meant, or end well.
        WARNING,
        ERROR
    }

    /// What is wrong with a proxy, or with what an author wrote.
    record Trouble(Severity severity, String sentence) {
        static Trouble error(String sentence) {
            return new Trouble(Severity.ERROR, sentence);
        }

        static Trouble warning(String sentence) {
            return new Trouble(Severity.WARNING, sentence);
        }
    }

    /// Reads everything once.
    static LocalMesh read(Path state) {
        mustBeThere(state);
        try (var http = client()) {
            var plane = plane(state, http);
            var streams = plane instanceof Plane.Answers(var admin, var _, var _)
                    ? streams(http, admin)
                    : List.<Map<?, ?>>of();
            return new LocalMesh(state, plane, proxies(state, http, streams));
        }
    }

    private static Plane plane(Path state, HttpClient http) {
        var file = state.resolve(CONTROL_PLANE);
        var told = file(file);
        if (told.isEmpty()) {
            return new Plane.Silent("no control plane runs on " + state + ": there is no " + file + ", which"
                    + " `bodyguard run -f DIR --state " + state + "` writes while it runs. Services that are"
                    + " processes of their own (`bodyguard service …`) write none: config's admin port has /problems and"
                    + " /proxies");
        }
        var admin = text(told, "admin");
        var ready = get(http, admin, "/healthz/ready");
        var trouble = readiness(ready, admin, "the control plane (pid " + number(told, "pid") + ")");
        // Who has just been silent would be for all the rest.
        return ready.status() == 0
                ? new Plane.Silent(trouble)
                : new Plane.Answers(admin, trouble, problems(http, admin));
    }

    static void mustBeThere(Path state) {
        if (!Files.isDirectory(state)) {
            throw new Failure(state + ": there is no such folder; name the control plane's state folder by --state or"
                    + " BODYGUARD_STATE");
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
        boolean connected = Boolean.TRUE.equals(stream.get("connected"));
        return new Proxy(
                text(stream, "kind"),
                name(stream),
                id(stream),
                connected,
                inForce(stream),
                cameWith(stream),
                null,
                connected
                        ? refused(stream)
                        : List.of(Trouble.warning("not connected since " + text(stream, "since") + " ("
                                + inOneLine(text(stream, "why")) + "); start it again, or, where it was stopped for"
                                + " good, leave it: it is forgotten at " + text(stream, "forgottenAt"))));
    }

    private static Certificate cameWith(Map<?, ?> stream) {
        try {
            return new Certificate.CameWith(Instant.parse(text(stream, "cameWithCertificateUntil")));
        } catch (DateTimeParseException _) {
            return new Certificate.Unknown();
        }
    }

    private static Proxy proxy(HttpClient http, LocalSidecar sidecar, @Nullable Map<?, ?> stream) {
        var troubles = new ArrayList<Trouble>();
        Certificate certificate = new Certificate.Unknown();
        if (!sidecar.isAlive()) {
            troubles.add(Trouble.error("its sidecar, pid " + sidecar.pid() + ", does not run any more"));
        } else {
            var ready = get(http, sidecar.admin(), "/healthz/ready");
            readiness(ready, sidecar.admin(), "its sidecar, pid " + sidecar.pid() + ",")
                    .lines()
                    .forEach(line -> troubles.add(Trouble.error(line)));
            // Who has just been silent would be for all the others.
            if (ready.status() != 0) {
                var told = told(http, sidecar.admin());
                certificate = certificate(http, sidecar.admin(), told.getOrDefault(true, List.of()));
                troubles.addAll(told.getOrDefault(false, List.of()));
            }
            if (stream == null) {
                troubles.add(
                        Trouble.error("the control plane has no configuration stream of it; it serves by what it has"));
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
                certificate,
                new LocalProcess(sidecar.admin(), sidecar.isAlive()),
                troubles);
    }

    /// The control plane's configuration streams, the oldest first.
    private static List<Map<?, ?>> streams(HttpClient http, String admin) {
        return objects(http, admin, "/proxies").toList();
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

    private static List<Trouble> refused(Map<?, ?> stream) {
        var troubles = new ArrayList<Trouble>();
        if (stream.get("refused") instanceof List<?> refused) {
            for (var item : refused) {
                if (item instanceof Map<?, ?> resource) {
                    troubles.add(Trouble.error(
                            "it refused " + text(resource, "name") + ": " + inOneLine(text(resource, "why"))));
                }
            }
        }
        return troubles;
    }

    private static String inOneLine(String said) {
        return said.strip().replaceAll("\\s*\\R\\s*", "; ");
    }

    private static List<Trouble> problems(HttpClient http, String admin) {
        var reply = get(http, admin, "/problems");
        return reply.status() == 200
                ? objects(reply).map(LocalMesh::trouble).toList()
                : List.of(Trouble.error("nobody knows: " + admin + "/problems answers " + reply.status() + " "
                        + inOneLine(reply.body())));
    }

    private static Stream<Map<?, ?>> objects(HttpClient http, String admin, String page) {
        return objects(get(http, admin, page));
    }

    private static Stream<Map<?, ?>> objects(Reply reply) {
        return Json.list(reply.body()).stream()
                .flatMap(item -> item instanceof Map<?, ?> object ? Stream.of(object) : Stream.of());
    }

    /// What a sidecar finds wrong, by whether it is about its certificate.
    private static Map<Boolean, List<Trouble>> told(HttpClient http, String admin) {
        return objects(http, admin, "/problems")
                .collect(Collectors.partitioningBy(
                        problem -> text(problem, "about").equals("certificate"),
                        Collectors.mapping(LocalMesh::trouble, Collectors.toList())));
    }

    private static Trouble trouble(Map<?, ?> problem) {
        return new Trouble(
                text(problem, "severity").equals("WARNING") ? Severity.WARNING : Severity.ERROR,
                text(problem, "problem"));
    }

    private static Certificate certificate(HttpClient http, String admin, List<Trouble> troubles) {
        var metrics = get(http, admin, "/metrics");
        double seconds = metrics.status() == 200
                ? Metrics.parse(metrics.body()).sum("cert_expiry_seconds", _ -> true)
                : Double.NaN;
        return Double.isNaN(seconds) ? new Certificate.Unknown() : new Certificate.Left(seconds, troubles);
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
