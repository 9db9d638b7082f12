package dev.bodyguard.config;

import dev.bodyguard.model.HttpRoutes;
import dev.bodyguard.model.Part;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/// Which new documents would speak for a host in place of rules in force, as their language ranks higher. To whoever
/// calls that host this is an edit of those. Pure.
final class Displaced {
    private Displaced() {}

    /// Finds them.
    ///
    /// @param fresh keys of documents that were never in force
    /// @return keys of new documents to the rules in whose place they come
    static Map<String, List<Part>> among(Map<String, Entry> entries, Collection<String> fresh) {
        var inForce = new ArrayList<HttpRoutes>();
        entries.forEach((key, entry) -> {
            if (!entry.gone() && !fresh.contains(key)) {
                inForce.addAll(routes(entry.parts()));
            }
        });
        var displaced = new TreeMap<String, List<Part>>();
        for (var key : fresh) {
            for (var routes :
                    routes(Objects.requireNonNull(entries.get(key)).says().parts())) {
                inForce.stream()
                        .filter(routes::outrank)
                        .forEach(others -> displaced
                                .computeIfAbsent(key, _ -> new ArrayList<>())
                                .add(others));
            }
        }
        return displaced;
    }

    private static List<HttpRoutes> routes(List<Part> parts) {
        return parts.stream()
                .filter(HttpRoutes.class::isInstance)
                .map(HttpRoutes.class::cast)
                .toList();
    }
}
