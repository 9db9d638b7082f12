package dev.bodyguard.config;

import dev.bodyguard.model.HttpRule.Destination;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Problem;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// Destinations of rules that nobody has ever known, which are typos once they have been so for a while: a service
/// comes with its first workload. Times are of [System#nanoTime()]; owned by one thread.
final class Doubts {
    private final Duration patience;
    private final Map<Destination, Long> since = new LinkedHashMap<>();

    Doubts(Duration patience) {
        this.patience = patience;
    }

    /// Takes a new mesh in.
    ///
    /// @param names have learned of the mesh
    void look(Mesh mesh, Names names, long now) {
        var unknown = mesh.destinations().stream()
                .filter(one -> !names.know(one.host()))
                .collect(Collectors.toCollection(LinkedHashSet::new));
        since.keySet().retainAll(unknown);
        unknown.forEach(one -> since.putIfAbsent(one, now));
    }

    /// What authors are to be told by now.
    List<Problem> told(long now) {
        return since.entrySet().stream()
                .filter(one -> now - one.getValue() >= patience.toNanos())
                .map(one -> problem(one.getKey()))
                .distinct()
                .toList();
    }

    /// Nanoseconds until more is to be told; [Long#MAX_VALUE] where nothing will be.
    long next(long now) {
        return since.values().stream()
                .mapToLong(began -> patience.toNanos() - (now - began))
                .filter(left -> left > 0)
                .min()
                .orElse(Long.MAX_VALUE);
    }

    private static Problem problem(Destination to) {
        return new Problem(
                Problem.Severity.WARNING,
                to.hostAt(),
                "nobody knows " + to.host() + ": no Service, ServiceEntry, service account or workload has that name;"
                        + " requests routed there get a 503. Correct the name, or add what it names");
    }
}
