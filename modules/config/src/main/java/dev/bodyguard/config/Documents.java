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
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Each document's translation, and its last good one where the newest is refused. Where there never was a good one of
/// a
/// document that says who may come in, nobody may.
final class Documents {
    private final Dialect dialect;
    private final Events events;
    private final Map<String, Entry> entries = new TreeMap<>();

    /// One document.
    ///
    /// @param parts what is in force of it, or in its place
    private record Entry(
            Document newest, List<Part> parts, Standing standing, List<Problem> problems, boolean refused) {}

    /// What is in force of a document.
    enum Standing {
        /// What it says, or said when it was last understood.
        GOOD("the last good version stays in force"),
        /// Nothing: no version of it was ever understood.
        NOTHING("it is not in force until corrected"),
        /// It is about who may come in, and no version of it was ever understood.
        CLOSED("until it is corrected, the workloads that it is about refuse every request");

        private final String sentence;

        Standing(String sentence) {
            this.sentence = sentence;
        }

        @Override
        public String toString() {
            return sentence;
        }
    }

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
        Entry now;
        if (!translation.refused()) {
            now = new Entry(document, translation.parts(), Standing.GOOD, translation.problems(), false);
        } else if (before != null && before.standing == Standing.GOOD) {
            now = new Entry(document, before.parts, Standing.GOOD, translation.problems(), true);
        } else {
            var instead = dialect.inPlaceOf(document);
            now = new Entry(
                    document,
                    instead,
                    instead.isEmpty() ? Standing.NOTHING : Standing.CLOSED,
                    translation.problems(),
                    true);
        }
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
        return entries.values().stream().flatMap(entry -> entry.parts.stream()).toList();
    }

    List<Problem> problems() {
        return entries.values().stream()
                .flatMap(entry -> entry.standing == Standing.CLOSED
                        ? Stream.concat(entry.problems.stream(), Stream.of(closed(entry.newest)))
                        : entry.problems.stream())
                .toList();
    }

    private static Problem closed(Document document) {
        return new Problem(Problem.Severity.ERROR, document.origin(), "is not understood; " + Standing.CLOSED);
    }

    private void announce(@Nullable Entry before, Entry now) {
        var known = new HashSet<>(before == null ? List.<Problem>of() : before.problems);
        for (Problem problem : now.problems) {
            if (!known.contains(problem) || now.refused) {
                switch (problem.severity()) {
                    case ERROR -> events.refused(problem, now.standing);
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
