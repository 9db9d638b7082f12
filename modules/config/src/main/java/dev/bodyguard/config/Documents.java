package dev.bodyguard.config;

import dev.bodyguard.dialect.Dialect;
import dev.bodyguard.dialect.Translation;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.Problem;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
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
            Document newest, List<Part> parts, InForce inForce, List<Problem> problems, boolean refused, long since) {}

    /// What is in force of a document.
    enum InForce {
        /// What it says, or said when it was last understood.
        GOOD("the last good version stays in force"),
        /// Nothing: no version of it was ever understood.
        NOTHING("it is not in force until corrected"),
        /// It is about who may come in, and no version of it was ever understood.
        CLOSED("until it is corrected, the workloads that it is about refuse every request");

        private final String sentence;

        InForce(String sentence) {
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

    /// Takes a document's newest version.
    ///
    /// @param since the first generation that will have it
    void put(Document document, long since) {
        Entry before = entries.get(document.key());
        if (before != null && before.newest.equals(document)) {
            return;
        }
        Translation translation = translate(document);
        Entry now;
        if (!translation.refused()) {
            now = new Entry(document, translation.parts(), InForce.GOOD, translation.problems(), false, since);
        } else if (before != null && before.inForce == InForce.GOOD) {
            now = new Entry(document, before.parts, InForce.GOOD, translation.problems(), true, since);
        } else {
            var instead = dialect.inPlaceOf(document);
            now = new Entry(
                    document,
                    instead,
                    instead.isEmpty() ? InForce.NOTHING : InForce.CLOSED,
                    translation.problems(),
                    true,
                    since);
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
                .flatMap(entry -> entry.inForce == InForce.CLOSED
                        ? Stream.concat(entry.problems.stream(), Stream.of(closed(entry.newest)))
                        : entry.problems.stream())
                .toList();
    }

    /// How each of an API server's documents fares.
    ///
    /// @param overridden who speaks in a document's place, as problems of the loser
    List<Standing> standings(List<Problem> overridden) {
        var losers = new HashMap<String, String>();
        overridden.forEach(problem -> losers.putIfAbsent(object(problem.origin()), problem.message()));
        return entries.values().stream()
                .filter(entry -> entry.newest.resourceVersion() != null)
                .map(entry -> new Standing(
                        entry.newest,
                        !entry.refused,
                        entry.problems.stream()
                                .filter(problem -> problem.severity() == Problem.Severity.ERROR)
                                .map(problem -> problem.origin().field().isEmpty()
                                        ? problem.message()
                                        : problem.origin().field() + ": " + problem.message())
                                .collect(Collectors.joining("; ")),
                        losers.getOrDefault(object(entry.newest.origin()), ""),
                        entry.since))
                .toList();
    }

    private static String object(Origin origin) {
        return origin.kind() + " " + origin.namespace() + "/" + origin.name();
    }

    private static Problem closed(Document document) {
        return new Problem(Problem.Severity.ERROR, document.origin(), "is not understood; " + InForce.CLOSED);
    }

    private void announce(@Nullable Entry before, Entry now) {
        var known = new HashSet<>(before == null ? List.<Problem>of() : before.problems);
        for (Problem problem : now.problems) {
            if (!known.contains(problem) || now.refused) {
                switch (problem.severity()) {
                    case ERROR -> events.refused(problem, now.inForce);
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
