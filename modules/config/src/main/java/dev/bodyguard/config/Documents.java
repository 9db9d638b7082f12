package dev.bodyguard.config;

import dev.bodyguard.dialect.Dialect;
import dev.bodyguard.dialect.Translation;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.Problem;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Each document's translation, and its last good one where the newest is refused.
final class Documents {
    private final Dialect dialect;
    private final Events events;
    private final Map<String, Entry> entries = new TreeMap<>();

    /// One document.
    ///
    /// @param goodParts what is in force of it
    /// @param everGood a version of it was in force once
    private record Entry(
            Document newest, List<Part> goodParts, boolean everGood, List<Problem> problems, boolean refused) {}

    Documents(Dialect dialect, Events events) {
        this.dialect = dialect;
        this.events = events;
    }

    void put(Document document) {
        Entry before = entries.get(document.key());
        if (before != null && before.newest.equals(document)) {
            return;
        }
        Translation translation = translate(document);
        boolean refused = translation.refused();
        List<Part> lastGood = before == null ? List.of() : before.goodParts;
        Entry now = new Entry(
                document,
                refused ? lastGood : translation.parts(),
                !refused || (before != null && before.everGood),
                translation.problems(),
                refused);
        entries.put(document.key(), now);
        announce(before, now);
    }

    void remove(String key) {
        entries.remove(key);
    }

    int size() {
        return entries.size();
    }

    List<Part> inForce() {
        return entries.values().stream()
                .flatMap(entry -> entry.goodParts.stream())
                .toList();
    }

    List<Problem> problems() {
        return entries.values().stream()
                .flatMap(entry -> entry.problems.stream())
                .toList();
    }

    private void announce(@Nullable Entry before, Entry now) {
        var known = new HashSet<>(before == null ? List.<Problem>of() : before.problems);
        for (Problem problem : now.problems) {
            if (!known.contains(problem) || now.refused) {
                switch (problem.severity()) {
                    case ERROR -> events.refused(problem, now.everGood);
                    case WARNING -> events.warned(problem);
                }
            }
        }
        if (before != null && before.refused && !now.refused) {
            events.applied(now.newest);
        }
    }

    private Translation translate(Document document) {
        try {
            return dialect.translate(document);
        } catch (RuntimeException defect) {
            // Ours, not the author's; but one document must not end the service for all others.
            events.failed("translating " + document.origin(), defect);
            return new Translation(
                    List.of(),
                    List.of(new Problem(
                            Problem.Severity.ERROR,
                            document.origin(),
                            "cannot be translated, by a defect here: " + defect)));
        }
    }
}
