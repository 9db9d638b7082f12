package dev.bodyguard.config;

import dev.bodyguard.dialect.Dialect;
import dev.bodyguard.dialect.Translation;
import dev.bodyguard.model.AuthorizationPolicy;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.PeerAuthentication;
import dev.bodyguard.model.Problem;
import dev.bodyguard.model.RateLimit;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Each document's translation, and its last good one where the newest is refused, or waits ([Hold]). Where there never
/// was a good one of a document that says who may come in, nobody may.
final class Documents {
    private final Dialect dialect;
    private final Events events;
    private final Claims claims = new Claims();
    private final Map<String, Entry> entries = new TreeMap<>();
    /// Keys of documents that changed since the last [#settle].
    private final Set<String> touched = new TreeSet<>();
    /// Keys of documents whose newest version waits.
    private final Set<String> waiting = new TreeSet<>();
    /// Keys of documents that were only recalled yet: nobody was told of them here.
    private final Set<String> recalled = new HashSet<>();

    /// What is in force of a document.
    enum InForce {
        /// What it says, or said when it was last understood.
        GOOD("the last good version stays in force"),
        /// Nothing: no version of it was ever understood.
        NOTHING("it is not in force until corrected"),
        /// It is about who may come in, and no version of it was ever understood.
        CLOSED("until it is corrected, the workloads that it is about refuse every request"),
        /// It is about how others come in, and no version of it was ever understood.
        STRICT("until it is corrected, the workloads that it is about take mutual TLS only");

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

    /// Takes the last good versions of before a restart, ahead of all that is true now: they count as in force, and as
    /// gone where the first [#take] has no version of them. One that is no longer understood is left out.
    void recall(List<Document> good) {
        for (var document : good) {
            var says = translate(document);
            if (!says.refused()) {
                entries.put(document.key(), Entry.recalled(document, says));
                touched.add(document.key());
                recalled.add(document.key());
            }
        }
    }

    /// Takes what came and what went; [#settle] decides about it.
    ///
    /// @param put documents by discovery's name
    /// @param removed discovery's names
    void take(Map<String, Document> put, Collection<String> removed) {
        new TreeMap<>(put).forEach((name, document) -> {
            String key = dialect.meant(document).key();
            claims.put(name, document, key);
            touched.add(key);
        });
        for (String name : removed) {
            String key = claims.remove(name);
            if (key != null) {
                touched.add(key);
            }
        }
    }

    /// Decides which version of each document is in force, and makes the mesh of them.
    ///
    /// @param workloads the other parts of the mesh
    /// @param names learns of the mesh
    /// @param generation the number that it will have
    Mesh settle(Collection<? extends Part> workloads, Names names, long generation) {
        var open = union(touched, waiting);
        var before = new HashMap<String, Entry>();
        open.stream().filter(entries::containsKey).forEach(key -> before.put(key, entry(key)));
        touched.forEach(key -> claims.of(key)
                .ifPresentOrElse(
                        claim -> entries.put(key, read(before.get(key), claim, generation)),
                        () -> entries.computeIfPresent(key, (_, entry) -> entry.removed(generation))));
        open.removeIf(key -> !entries.containsKey(key));
        var fresh = fresh(open, before.keySet());
        var successors = Successors.among(
                entries, fresh, open.stream().filter(key -> entry(key).gone()).toList());
        var displaced = Displaced.among(entries, fresh);
        Stream.concat(successors.keySet().stream(), displaced.keySet().stream())
                .forEach(key -> entries.computeIfPresent(key, (_, entry) -> entry.inPlaceOfAnother()));
        var undecided = new TreeSet<>(open);
        undecided.removeIf(key -> !entry(key).undecided());
        var held = new Hold(entries, undecided, successors, displaced, workloads, names).decide();
        open.forEach(key -> {
            var why = held.why().get(key);
            var entry = entry(key);
            if (why != null) {
                entries.put(key, entry.waitingFor(why));
            } else if (entry.gone()) {
                entries.remove(key);
            } else if (entry.undecided()) {
                entries.put(key, entry.applied(generation));
            }
            announce(recalled.contains(key) ? null : before.get(key), entries.get(key));
            if (!entries.containsKey(key) && guards(before.get(key)) && !successors.containsValue(key)) {
                events.unguarded(entry.newest());
            }
        });
        touched.clear();
        waiting.clear();
        waiting.addAll(held.why().keySet());
        recalled.clear();
        return held.mesh();
    }

    /// Of the documents to be decided about, those that were never in force.
    ///
    /// @param known keys of documents that were there before
    private Set<String> fresh(Set<String> open, Set<String> known) {
        return open.stream()
                .filter(key -> entry(key).waitsFromTheFirst()
                        || (!known.contains(key) && !entry(key).says().parts().isEmpty()))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /// Whether it said who may come in, how, or how often.
    private static boolean guards(@Nullable Entry entry) {
        return entry != null
                && entry.parts().stream()
                        .anyMatch(part -> part instanceof AuthorizationPolicy
                                || part instanceof PeerAuthentication
                                || part instanceof RateLimit);
    }

    private static Set<String> union(Set<String> some, Set<String> others) {
        var all = new TreeSet<>(some);
        all.addAll(others);
        return all;
    }

    private Entry entry(String key) {
        return Objects.requireNonNull(entries.get(key));
    }

    /// A document's newest version, the one before it in force as long as there is a good one.
    private Entry read(@Nullable Entry before, Claims.Claim claim, long since) {
        var besides = claim.besides().stream()
                .flatMap(document -> translate(document).problems().stream())
                .toList();
        var newest = claim.speaker();
        boolean told = before != null && !recalled.contains(before.newest().key());
        if (before != null && told && !before.gone() && before.newest().equals(newest)) {
            return before.beside(besides);
        }
        var says = translate(newest);
        var good = says.refused() ? null : newest;
        var parts = says.parts();
        var inForce = InForce.GOOD;
        if (before != null && before.inForce() == InForce.GOOD) {
            parts = before.parts();
            if (says.refused() || !parts.equals(says.parts())) {
                good = before.good();
            }
        } else if (says.refused()) {
            parts = dialect.inPlaceOf(newest);
            inForce = instead(parts);
        }
        return new Entry(false, newest, says, List.of(), besides, good, parts, inForce, since);
    }

    private static InForce instead(List<Part> parts) {
        if (parts.isEmpty()) {
            return InForce.NOTHING;
        }
        return parts.stream().anyMatch(AuthorizationPolicy.class::isInstance) ? InForce.CLOSED : InForce.STRICT;
    }

    /// The good versions to remember over a restart, the most needed first: of documents whose newest is not in force,
    /// which nobody else has, and of all in files, as somebody may break these while no config runs. What an API
    /// server has passed its schemas.
    List<Document> lastGood() {
        return entries.values().stream()
                .filter(entry -> !entry.accepted() || entry.newest().resourceVersion() == null)
                .sorted(Comparator.comparing(Entry::accepted))
                .flatMap(entry -> Stream.ofNullable(entry.good()))
                .toList();
    }

    int size() {
        return entries.size();
    }

    List<Problem> problems() {
        return entries.values().stream()
                .flatMap(entry -> Stream.of(
                                entry.problems(),
                                entry.inForce() == InForce.CLOSED || entry.inForce() == InForce.STRICT
                                        ? List.of(closed(entry.newest(), entry.inForce()))
                                        : List.<Problem>of(),
                                entry.besides())
                        .flatMap(List::stream))
                .toList();
    }

    /// How each of an API server's documents fares.
    ///
    /// @param overridden who speaks in a document's place, as problems of the loser
    List<Standing> standings(List<Problem> overridden) {
        var losers = new HashMap<String, String>();
        overridden.forEach(problem -> losers.putIfAbsent(object(problem.origin()), problem.message()));
        return entries.values().stream()
                .filter(entry -> entry.newest().resourceVersion() != null)
                .map(entry -> new Standing(
                        entry.newest(),
                        entry.accepted(),
                        entry.problems().stream()
                                .filter(problem -> problem.severity()
                                        == (entry.accepted() ? Problem.Severity.WARNING : Problem.Severity.ERROR))
                                .map(problem -> problem.origin().field().isEmpty()
                                        ? problem.message()
                                        : problem.origin().field() + ": " + problem.message())
                                .collect(Collectors.joining("; ")),
                        losers.getOrDefault(object(entry.newest().origin()), ""),
                        entry.since()))
                .toList();
    }

    private static String object(Origin origin) {
        return origin.kind() + " " + origin.namespace() + "/" + origin.name();
    }

    private static Problem closed(Document document, InForce instead) {
        return new Problem(Problem.Severity.ERROR, document.origin(), "is not understood; " + instead);
    }

    private void announce(@Nullable Entry before, @Nullable Entry now) {
        if (now == null) {
            if (before != null && before.gone() && !guards(before)) {
                events.removed(before.newest());
            }
            return;
        }
        var known = new HashSet<>(before == null ? List.<Problem>of() : before.problems());
        // Whoever saves a mistake once more is told once more.
        boolean again = !now.accepted() && (before == null || !before.newest().equals(now.newest()));
        for (Problem problem : now.problems()) {
            if (again || !known.contains(problem)) {
                switch (problem.severity()) {
                    case ERROR -> events.refused(problem, now.inForce());
                    case WARNING -> events.warned(problem);
                }
            }
        }
        now.besides().stream()
                .filter(problem -> before == null || !before.besides().contains(problem))
                .forEach(problem -> events.refused(problem, InForce.NOTHING));
        if (before != null && !before.accepted() && now.accepted()) {
            events.applied(now.newest());
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
