package dev.bodyguard.discovery;

import dev.bodyguard.source.files.FileProblem;
import java.util.List;
import java.util.stream.Stream;

/// How a change came here, from the first sign of it. Moments are those of [System#nanoTime()].
///
/// @param read when the source had told all of it
/// @param put documents that are new or differ
/// @param removed documents that are gone
/// @param workloads how many came, changed or went
/// @param unreadable what cannot be read since
record Course(By by, long noticed, long read, int put, int removed, int workloads, List<FileProblem> unreadable) {
    enum By {
        /// The directory or the API server.
        SOURCE,
        /// Workloads that registered or left.
        WORKLOADS
    }

    Course {
        unreadable = List.copyOf(unreadable);
    }

    static Course of(Source.Found found, List<FileProblem> unreadable) {
        return new Course(
                By.SOURCE,
                found.noticed(),
                found.read(),
                found.put().size(),
                found.removed().size(),
                found.workloads().size() + found.gone().size(),
                unreadable);
    }

    static Course ofWorkload(long noticed) {
        return new Course(By.WORKLOADS, noticed, noticed, 0, 0, 1, List.of());
    }

    /// Both together.
    Course and(Course later) {
        return new Course(
                by == By.SOURCE ? by : later.by,
                Math.min(noticed, later.noticed),
                Math.max(read, later.read),
                put + later.put,
                removed + later.removed,
                workloads + later.workloads,
                Stream.concat(unreadable.stream(), later.unreadable.stream()).toList());
    }
}
