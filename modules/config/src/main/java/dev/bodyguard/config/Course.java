package dev.bodyguard.config;

import dev.bodyguard.model.Problem;
import java.util.List;

/// How a generation came about. Moments are those of [System#nanoTime()].
///
/// @param discovery the generation of discovery's that it is made of; empty where nobody said
/// @param came when the first change came that is in no generation before
/// @param gathered when nothing more was waited for
/// @param documents how many came, to be translated
/// @param settled when it was decided which version of each document is in force
/// @param contradictions what is newly wrong between documents that are right each for itself
record Course(String discovery, long came, long gathered, int documents, long settled, List<Problem> contradictions) {
    Course {
        contradictions = List.copyOf(contradictions);
    }
}
