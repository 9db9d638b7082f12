package dev.bodyguard.config;

import dev.bodyguard.model.Problem;
import dev.bodyguard.service.Json;
import dev.bodyguard.xds.compile.Kind;
import dev.bodyguard.xds.server.ClientState;
import dev.bodyguard.xds.server.Peer;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.Map;
import java.util.stream.Stream;

/// What an operator is told of config's state: JSON objects.
public final class StateDump {
    private StateDump() {}

    /// Why edits do not arrive, if they do not; what is wrong with the documents, and between them.
    public static Stream<String> problems(Pipeline config) {
        return Stream.concat(
                config.outage().stream().map(outage -> Json.problem(Problem.Severity.ERROR.name(), outage)),
                config.problems().stream()
                        .map(problem -> Json.problem(problem.severity().name(), problem.toString())));
    }

    /// The proxies that are being served, and how far each is; those that came first stand first. Then
    /// outsiders that are not connected any more, the longest absent first.
    public static Stream<String> proxies(Pipeline config) {
        return Stream.concat(
                config.proxies().stream()
                        .sorted(Comparator.comparingLong(proxy -> proxy.client().stream()))
                        .map(StateDump::proxy),
                config.absent().stream().map(StateDump::absent));
    }

    private static String proxy(ClientState proxy) {
        var client = proxy.client();
        return who(client.node().getId(), kind(Kind.of(client.node())), client.peer())
                + ",\"connected\":true"
                + ",\"offered\":" + Json.string(proxy.offered())
                + ",\"settled\":" + proxy.settled()
                + ",\"inForce\":" + proxy.inForce()
                + ",\"types\":" + types(proxy.answers())
                + ",\"refused\":" + refused(proxy.refused()) + "}";
    }

    static String absent(Absences.Absent absent) {
        return who(absent.node(), absent.kind(), absent.peer())
                + ",\"connected\":false"
                + ",\"since\":" + time(absent.since())
                + ",\"forgottenAt\":" + time(absent.until())
                + ",\"why\":" + Json.string(absent.why()) + "}";
    }

    private static String who(String node, String kind, Peer peer) {
        var life = peer.life();
        return "{\"node\":" + Json.string(node)
                + ",\"kind\":" + Json.string(kind)
                + ",\"peer\":" + Json.string(peer.toString())
                + (life == null ? "" : ",\"cameWithCertificateUntil\":" + time(life.until()));
    }

    private static String time(Instant instant) {
        return Json.string(instant.truncatedTo(ChronoUnit.SECONDS).toString());
    }

    static String kind(Kind kind) {
        return switch (kind) {
            case Kind.Sidecar _ -> "sidecar";
            case Kind.Envoy _ -> "envoy";
            case Kind.Grpc _ -> "grpc";
        };
    }

    private static String types(Map<String, ClientState.Answers> answers) {
        return Json.array(answers.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(type -> "{\"type\":" + Json.string(type.getKey()) + ",\"acked\":"
                        + type.getValue().acked() + ",\"nacked\":"
                        + type.getValue().nacked() + "}"));
    }

    private static String refused(Map<String, Map<String, String>> refused) {
        return Json.array(refused.entrySet().stream()
                .flatMap(type -> type.getValue().entrySet().stream()
                        .map(resource -> "{\"type\":" + Json.string(type.getKey()) + ",\"name\":"
                                + Json.string(resource.getKey()) + ",\"why\":" + Json.string(resource.getValue())
                                + "}")));
    }
}
