package dev.bodyguard.cli;

import java.io.PrintStream;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `bodyguard status`: each proxy's kind, connection, sync, certificate and problems.
@Command(
        name = "status",
        description =
                "Shows every proxy of the mesh whose control plane runs on this machine, sidecars and others: connected, in"
                        + " sync, certificate, problems.",
        mixinStandardHelpOptions = true)
final class StatusCommand implements Runnable {
    @Mixin
    private StateFolder state = new StateFolder();

    @Option(names = "--json", description = "Prints one JSON object.")
    private boolean json;

    @Override
    public void run() {
        var mesh = LocalMesh.read(state.folder());
        if (json) {
            System.out.println(Json.write(object(mesh)));
        } else {
            print(mesh, System.out);
        }
    }

    static void print(LocalMesh mesh, PrintStream out) {
        out.println("control plane: " + told(mesh.plane()));
        if (mesh.proxies().isEmpty()) {
            out.println("no sidecar has started on " + mesh.state() + " yet, and nobody else has come");
        } else {
            int width = mesh.proxies().stream()
                    .mapToInt(proxy -> proxy.name().length())
                    .max()
                    .orElse(0);
            int life = mesh.proxies().stream()
                    .mapToInt(proxy -> told(proxy.certificate()).length())
                    .max()
                    .orElse(0);
            var row = "%-7s  %-" + Math.max(8, width) + "s  %-9s  %-7s  %-" + Math.max(11, life) + "s  %s%n";
            out.printf(Locale.ROOT, row, "KIND", "WORKLOAD", "CONNECTED", "IN SYNC", "CERTIFICATE", "PROBLEMS");
            for (var proxy : mesh.proxies()) {
                var troubles = proxy.allTroubles();
                out.printf(
                        Locale.ROOT,
                        row,
                        proxy.kind(),
                        proxy.name(),
                        yes(proxy.connected()),
                        yes(proxy.inSync()),
                        told(proxy.certificate()),
                        troubles.isEmpty() ? "none" : troubles.getFirst().sentence());
                troubles.stream()
                        .skip(1)
                        .forEach(trouble -> out.printf(Locale.ROOT, row, "", "", "", "", "", trouble.sentence()));
            }
        }
        problems(mesh).forEach(problem -> out.println(problem.severity() + " " + problem.sentence()));
    }

    private static String told(LocalMesh.Plane plane) {
        return switch (plane) {
            case LocalMesh.Plane.Answers(var admin, var trouble, var _) ->
                trouble.isEmpty() ? "ready, admin " + admin : trouble;
            case LocalMesh.Plane.Silent(var trouble) -> trouble;
        };
    }

    private static List<LocalMesh.Trouble> problems(LocalMesh mesh) {
        return switch (mesh.plane()) {
            case LocalMesh.Plane.Answers(var _, var _, var problems) -> problems;
            case LocalMesh.Plane.Silent _ -> List.of();
        };
    }

    private static String yes(boolean truth) {
        return truth ? "yes" : "NO";
    }

    static String told(LocalMesh.Certificate certificate) {
        return switch (certificate) {
            case LocalMesh.Certificate.Left(var seconds, var _) -> left(seconds);
            case LocalMesh.Certificate.CameWith(var until) -> "came with one until " + until;
            case LocalMesh.Certificate.Unknown _ -> "unknown";
        };
    }

    private static String left(double seconds) {
        if (seconds <= 0) {
            return "EXPIRED";
        }
        var left = Duration.ofSeconds((long) seconds);
        if (left.toHours() > 0) {
            return left.toHours() + "h" + left.toMinutesPart() + "m";
        }
        return left.toMinutes() > 0 ? left.toMinutes() + "m" + left.toSecondsPart() + "s" : left.toSeconds() + "s";
    }

    private static Map<String, @Nullable Object> object(LocalMesh mesh) {
        var object = new LinkedHashMap<String, @Nullable Object>();
        var trouble = mesh.plane().trouble();
        object.put("controlPlane", trouble.isEmpty() ? "ready" : trouble);
        object.put("proxies", mesh.proxies().stream().map(StatusCommand::object).toList());
        object.put(
                "problems",
                problems(mesh).stream()
                        .map(problem -> Map.of("severity", problem.severity().name(), "problem", problem.sentence()))
                        .toList());
        return object;
    }

    private static Map<String, @Nullable Object> object(LocalMesh.Proxy proxy) {
        var object = new LinkedHashMap<String, @Nullable Object>();
        object.put("kind", proxy.kind());
        object.put("name", proxy.name());
        object.put("spiffeId", proxy.spiffeId());
        object.put("connected", proxy.connected());
        object.put("inSync", proxy.inSync());
        object.put(
                "certificateExpiresInSeconds",
                proxy.certificate() instanceof LocalMesh.Certificate.Left(double seconds, var _)
                        ? (long) seconds
                        : null);
        object.put(
                "cameWithCertificateUntil",
                proxy.certificate() instanceof LocalMesh.Certificate.CameWith(var until) ? until.toString() : null);
        object.put(
                "problems",
                proxy.allTroubles().stream().map(LocalMesh.Trouble::sentence).toList());
        return object;
    }
}
