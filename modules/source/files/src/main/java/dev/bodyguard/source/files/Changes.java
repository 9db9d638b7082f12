package dev.bodyguard.source.files;

import dev.bodyguard.model.Document;
import java.util.List;
import java.util.Set;

/// What happened to a directory since it was last asked.
///
/// @param put documents that are new or differ from before, or only moved within their file
/// @param removed keys of documents that are gone
/// @param problems everything that is wrong with the directory now, not only what is new
/// @param noticed when the first sign of it was seen, by [System#nanoTime()]
public record Changes(List<Document> put, Set<String> removed, List<FileProblem> problems, long noticed) {
    public Changes {
        put = List.copyOf(put);
        removed = Set.copyOf(removed);
        problems = List.copyOf(problems);
    }
}
