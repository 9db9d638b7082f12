package dev.bodyguard.source.files;

import dev.bodyguard.model.Document;
import java.util.List;

/// What a file's text says.
///
/// @param documents the objects that could be read, in the file's order
/// @param problems one for each document that could not; since such a one may be any object, nothing may be
///     concluded about objects that are missing from `documents` while there are problems
public record Parsed(List<Document> documents, List<FileProblem> problems) {
    public Parsed {
        documents = List.copyOf(documents);
        problems = List.copyOf(problems);
    }
}
