package dev.bodyguard.dialect;

import dev.bodyguard.model.Part;
import dev.bodyguard.model.Problem;
import java.util.List;

/// What a document means: its parts of a mesh, and what is wrong with it.
///
/// @param parts empty where the document is refused or none of our business
public record Translation(List<Part> parts, List<Problem> problems) {
    public Translation {
        parts = List.copyOf(parts);
        problems = List.copyOf(problems);
    }

    /// Whether this version of the document must not take effect, so that its last good one stays in force.
    public boolean refused() {
        return problems.stream().anyMatch(problem -> problem.severity() == Problem.Severity.ERROR);
    }
}
