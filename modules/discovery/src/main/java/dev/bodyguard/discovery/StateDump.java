package dev.bodyguard.discovery;

import dev.bodyguard.service.Json;
import java.util.stream.Stream;

/// What an operator is told of discovery's state: JSON objects.
public final class StateDump {
    private StateDump() {}

    /// Files, or parts of them, that cannot be read.
    public static Stream<String> problems(Pipeline discovery) {
        return discovery.problems().stream().map(problem -> Json.problem("ERROR", problem.toString()));
    }

    /// The workloads that are registered.
    public static Stream<String> workloads(Pipeline discovery) {
        return discovery.workloads().stream()
                .map(workload -> "{\"name\":" + Json.string(Leases.name(workload)) + ",\"service\":"
                        + Json.string(workload.getService()) + ",\"serviceAccount\":"
                        + Json.string(workload.getServiceAccount()) + ",\"address\":"
                        + Json.string(workload.getAddress()) + "}");
    }
}
