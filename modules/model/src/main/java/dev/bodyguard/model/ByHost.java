package dev.bodyguard.model;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/// Things under host names, some of which are wildcards: the exact name wins, then the longest wildcard.
final class ByHost<T> {
    private final Map<String, T> exact = new HashMap<>();
    private final SortedMap<String, T> bySuffix =
            new TreeMap<>(Comparator.comparingInt(String::length).reversed().thenComparing(Comparator.naturalOrder()));

    ByHost(Map<String, T> entries) {
        entries.forEach((host, thing) -> {
            if (host.startsWith("*")) {
                bySuffix.put(host.substring(1), thing);
            } else {
                exact.put(host, thing);
            }
        });
    }

    Optional<T> find(String host) {
        var all = all(host);
        return all.isEmpty() ? Optional.empty() : Optional.of(all.getFirst());
    }

    /// From the most to the least specific.
    List<T> all(String host) {
        var found = new ArrayList<T>();
        var same = exact.get(host);
        if (same != null) {
            found.add(same);
        }
        bySuffix.forEach((suffix, thing) -> {
            if (host.endsWith(suffix)) {
                found.add(thing);
            }
        });
        return found;
    }
}
