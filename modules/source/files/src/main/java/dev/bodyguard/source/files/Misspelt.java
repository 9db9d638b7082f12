package dev.bodyguard.source.files;

import dev.bodyguard.model.Location;
import dev.bodyguard.model.Value;
import java.util.Locale;
import java.util.Optional;

/// Keys that stand in place of one that is missing, and are nearly called so.
final class Misspelt {
    private Misspelt() {}

    /// What is wrong, at the key; empty where the missing one is there, or none is nearly called so.
    static Optional<FileProblem> key(String file, String missing, Value.Mapping mapping) {
        if (mapping.get(missing) != null) {
            return Optional.empty();
        }
        return mapping.entries().stream()
                .filter(entry -> isNearly(entry.key().toLowerCase(Locale.ROOT), missing.toLowerCase(Locale.ROOT)))
                .findFirst()
                .map(entry -> new FileProblem(
                        entry.keyAt() == null ? new Location(file, 1, 1) : entry.keyAt(),
                        entry.key() + ": there is no such field; did you mean " + missing + "?"));
    }

    /// Whether two words differ in two letters at most that stand together: one too many or too few, another, or two
    /// that have changed places.
    private static boolean isNearly(String written, String word) {
        int shorter = Math.min(written.length(), word.length());
        int same = 0;
        while (same < shorter && written.charAt(same) == word.charAt(same)) {
            same++;
        }
        int end = 0;
        while (end < shorter - same
                && written.charAt(written.length() - 1 - end) == word.charAt(word.length() - 1 - end)) {
            end++;
        }
        return Math.max(written.length(), word.length()) - same - end <= 2;
    }
}
