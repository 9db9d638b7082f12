package dev.bodyguard.config;

import dev.bodyguard.service.Json;
import java.util.Map;
import java.util.stream.Stream;

/// What an operator is told of config's state: JSON objects.
public final class StateDump {
    private StateDump() {}

    /// What is wrong with the documents, and between them.
    public static Stream<String> problems(Pipeline config) {
        return config.problems().stream()
                .map(problem ->
                        "{\"severity\":" + Json.string(problem.severity().name()) + ",\"problem\":"
                                + Json.string(problem.toString()) + "}");
    }

    /// The proxies that are being served, and how far each is.
    public static Stream<String> proxies(Pipeline config) {
        return config.proxies().stream()
                .map(proxy -> "{\"node\":" + Json.string(proxy.client().node().getId()) + ",\"peer\":"
                        + Json.string(proxy.client().peer().toString()) + ",\"offered\":" + Json.string(proxy.offered())
                        + ",\"settled\":" + proxy.settled() + ",\"inForce\":" + proxy.inForce() + ",\"refused\":"
                        + refused(proxy.refused()) + "}");
    }

    private static String refused(Map<String, Map<String, String>> refused) {
        return Json.array(refused.entrySet().stream()
                .flatMap(type -> type.getValue().entrySet().stream()
                        .map(resource -> "{\"type\":" + Json.string(type.getKey()) + ",\"name\":"
                                + Json.string(resource.getKey()) + ",\"why\":" + Json.string(resource.getValue())
                                + "}")));
    }
}
