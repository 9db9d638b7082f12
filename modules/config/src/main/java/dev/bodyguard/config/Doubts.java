package dev.bodyguard.config;

import dev.bodyguard.model.HttpRule.Destination;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Problem;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Destinations of rules that nobody has ever known, which are typos once they have been so for a while. A service
/// comes
/// with its first workload, and what went with its last one was no typo. Times are of [System#nanoTime()]; owned by one
/// thread.
final class Doubts {
    private final Duration patience;
    private final Set<String> known = new HashSet<>();
    private final Map<Destination, Long> since = new LinkedHashMap<>();

    Doubts(Duration patience) {
        this.patience = patience;
    }

    /// Takes a new mesh in.
    void look(Mesh mesh, long now) {
        var destinations = mesh.destinations();
        var mentioned = new HashSet<String>();
        for (var one : destinations) {
            mentioned.add(one.host());
            if (mesh.knows(one)) {
                known.add(one.host());
            }
        }
        known.retainAll(mentioned);
        since.keySet().retainAll(destinations);
        since.keySet().removeIf(one -> known.contains(one.host()));
        destinations.stream().filter(one -> !known.contains(one.host())).forEach(one -> since.putIfAbsent(one, now));
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
                to.origin(),
                "nobody knows " + to.host() + ": no Service, ServiceEntry, service account or workload has that name;"
                        + " requests routed there get a 503. Correct the name, or add what it names");
    }
}
