package dev.bodyguard.source.files;

import dev.bodyguard.model.Location;
import java.util.Objects;

/// Why (part of) a file could not be read as documents, before any object in it had a name to be called by.
///
/// @param message what is wrong and the way out
public record FileProblem(Location at, String message) {
    public FileProblem {
        Objects.requireNonNull(at);
        Objects.requireNonNull(message);
    }

    /// `payments.yaml:14:9: …`
    @Override
    public String toString() {
        return at + ": " + message;
    }
}
