package dev.bodyguard.model;

import java.util.Set;

/// Which namespaces may see something.
///
/// @param namespaces their names; [#EVERY] stands for all, none means nobody
public record Visibility(Set<String> namespaces) {
    /// Stands for every namespace.
    public static final String EVERY = "*";

    /// Everybody sees it.
    public static final Visibility EVERYWHERE = new Visibility(Set.of(EVERY));

    public Visibility {
        namespaces = Set.copyOf(namespaces);
    }

    /// Whether a client in this namespace sees it.
    public boolean from(String namespace) {
        return namespaces.contains(EVERY) || namespaces.contains(namespace);
    }

    /// Whether some namespace sees both.
    public boolean overlaps(Visibility other) {
        if (namespaces.isEmpty() || other.namespaces.isEmpty()) {
            return false;
        }
        return namespaces.contains(EVERY)
                || other.namespaces.contains(EVERY)
                || namespaces.stream().anyMatch(other.namespaces::contains);
    }
}
