package dev.bodyguard.config;

import dev.bodyguard.model.Problem;
import java.util.List;

/// How a generation came about. Moments are those of [System#nanoTime()].
///
/// @param discovery the generation of discovery's that it is made of; empty where nobody said
/// @param came when the first change came that is in no generation before
/// @param translations documents that were translated meanwhile; the first sixteen times
/// @param gathered when nothing more was waited for
/// @param contradictions what is newly wrong between documents that are right each for itself
record Course(
        String discovery, long came, List<Translation> translations, long gathered, List<Problem> contradictions) {
    static final int MOST_TRANSLATIONS = 16;

    /// Documents that came together.
    record Translation(int documents, long began, long ended) {}

    Course {
        translations = List.copyOf(translations);
        contradictions = List.copyOf(contradictions);
    }
}
