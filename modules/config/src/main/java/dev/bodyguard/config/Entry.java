package dev.bodyguard.config;

import dev.bodyguard.config.Documents.InForce;
import dev.bodyguard.dialect.Translation;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.Location;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.Problem;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// One document: what is in force of it, and its newest version.
///
/// @param gone whether its newest version is that there is none any more
/// @param newest its newest version, the last one where it is gone
/// @param says what its newest version means
/// @param waitsFor why that is not in force though it is understood
/// @param besides what is wrong with misspelt documents that mean the same object
/// @param good the version of it that is in force, its newest where that is accepted; null where none is
/// @param parts what is in force of it, or in its place
/// @param since the first generation that has its newest version
record Entry(
        boolean gone,
        Document newest,
        Translation says,
        List<Problem> waitsFor,
        List<Problem> besides,
        @Nullable Document good,
        List<Part> parts,
        InForce inForce,
        long since) {
    /// What is left where no document is.
    private static final Translation NOTHING = new Translation(List.of(), List.of());

    /// A good version before there is any other, or any decision.
    static Entry recalled(Document good, Translation says) {
        return new Entry(false, good, says, List.of(), List.of(), good, says.parts(), InForce.GOOD, 0);
    }

    boolean accepted() {
        return !says.refused() && waitsFor.isEmpty();
    }

    /// Whether another version is in force than the newest, which is understood.
    boolean undecided() {
        return gone || (!says.refused() && !parts.equals(says.parts()));
    }

    /// Whether it was never in force, though it may be: it came in place of another.
    boolean waitsFromTheFirst() {
        return !gone && good == null && inForce == InForce.GOOD;
    }

    /// The file whose removal is a wish; empty where an API server has the document, or nobody knows where it stands.
    Optional<String> file() {
        var at = newest.resourceVersion() == null ? newest.root().at() : null;
        return Optional.ofNullable(at).map(Location::file);
    }

    /// Where the newest version is a mistake in itself; null where it is none.
    @Nullable
    Origin mistake() {
        return Stream.concat(says.problems().stream(), besides.stream())
                .filter(problem -> problem.severity() == Problem.Severity.ERROR)
                .map(Problem::origin)
                .findFirst()
                .orElse(null);
    }

    List<Problem> problems() {
        return Stream.concat(says.problems().stream(), waitsFor.stream()).toList();
    }

    Entry beside(List<Problem> others) {
        return new Entry(gone, newest, says, waitsFor, others, good, parts, inForce, since);
    }

    /// A first version that comes in place of another document: nothing of it is in force before that is decided.
    Entry inPlaceOfAnother() {
        return new Entry(gone, newest, says, waitsFor, besides, null, List.of(), inForce, since);
    }

    Entry waitingFor(List<Problem> unknown) {
        return new Entry(gone, newest, says, unknown, besides, good, parts, inForce, since);
    }

    Entry removed(long generation) {
        return new Entry(true, newest, NOTHING, List.of(), List.of(), good, parts, inForce, generation);
    }

    Entry applied(long generation) {
        return new Entry(gone, newest, says, List.of(), besides, newest, says.parts(), InForce.GOOD, generation);
    }
}
