package dev.bodyguard.config;

import dev.bodyguard.config.Documents.InForce;
import dev.bodyguard.dialect.Translation;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.Problem;
import java.util.List;
import java.util.stream.Stream;

/// One document: what is in force of it, and its newest version.
///
/// @param says what its newest version means
/// @param waitsFor why that is not in force though it is understood
/// @param besides what is wrong with misspelt documents that mean the same object
/// @param parts what is in force of it, or in its place
/// @param since the first generation that has its newest version
record Entry(
        Document newest,
        Translation says,
        List<Problem> waitsFor,
        List<Problem> besides,
        List<Part> parts,
        InForce inForce,
        long since) {
    boolean accepted() {
        return !says.refused() && waitsFor.isEmpty();
    }

    /// Whether another version is in force than the newest, which is understood.
    boolean undecided() {
        return !says.refused() && !parts.equals(says.parts());
    }

    List<Problem> problems() {
        return Stream.concat(says.problems().stream(), waitsFor.stream()).toList();
    }

    Entry beside(List<Problem> others) {
        return new Entry(newest, says, waitsFor, others, parts, inForce, since);
    }

    Entry waitingFor(List<Problem> unknown) {
        return new Entry(newest, says, unknown, besides, parts, inForce, since);
    }

    Entry applied(long generation) {
        return new Entry(newest, says, List.of(), besides, says.parts(), InForce.GOOD, generation);
    }
}
