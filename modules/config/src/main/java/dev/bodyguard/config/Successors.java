package dev.bodyguard.config;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Which new documents came in place of ones that are gone from the same file: a document of the same kind that has
/// another name, or stands in another namespace. To its author that is an edit of one document. Pure.
final class Successors {
    private Successors() {}

    /// Finds them. Where it is not clear which document a new one comes in place of, it comes in place of none.
    ///
    /// @param fresh keys of documents that were never in force
    /// @param gone keys of documents that are gone
    /// @return keys of new documents to those that they come in place of
    static Map<String, String> among(Map<String, Entry> entries, Collection<String> fresh, Collection<String> gone) {
        var places = new HashMap<List<String>, List<String>>();
        gone.forEach(key -> place(entries, key)
                .forEach(place ->
                        places.computeIfAbsent(place, _ -> new ArrayList<>()).add(key)));
        var successors = new HashMap<String, String>();
        for (var key : fresh) {
            place(entries, key).forEach(place -> {
                var before = places.getOrDefault(place, List.of());
                var name = entry(entries, key).newest().name();
                before.stream()
                        .filter(one -> before.size() == 1
                                || entry(entries, one).newest().name().equals(name))
                        .findFirst()
                        .ifPresent(one -> successors.put(key, one));
            });
        }
        // Two in place of one are not an edit of it.
        successors
                .values()
                .removeIf(
                        one -> successors.values().stream().filter(one::equals).count() > 1);
        return successors;
    }

    /// File and kind; none where an API server has the document.
    private static List<List<String>> place(Map<String, Entry> entries, String key) {
        var entry = entry(entries, key);
        return entry.file().map(file -> List.of(file, entry.newest().kind())).stream()
                .toList();
    }

    private static Entry entry(Map<String, Entry> entries, String key) {
        return Objects.requireNonNull(entries.get(key));
    }
}
