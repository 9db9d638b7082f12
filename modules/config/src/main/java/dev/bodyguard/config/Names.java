package dev.bodyguard.config;

import dev.bodyguard.model.Mesh;
import java.util.LinkedHashSet;
import java.util.Set;

/// Names that somebody has, or had: services, of documents or registered, and service accounts. A service comes with
/// its first workload, and what went with its last one was no typo. Owned by one thread.
final class Names {
    /// So many are remembered that nobody has any more.
    private static final int MOST_OF_THE_PAST = 10_000;

    /// Those known latest at the end.
    private final LinkedHashSet<String> known = new LinkedHashSet<>();

    private Set<String> present = Set.of();

    /// Takes a new mesh in.
    void look(Mesh mesh) {
        present = mesh.names();
        known.removeAll(present);
        known.addAll(present);
        while (known.size() > present.size() + MOST_OF_THE_PAST) {
            known.removeFirst();
        }
    }

    /// Whether somebody has, or had, this full name, or any below a wildcard.
    boolean know(String host) {
        if (host.startsWith("*")) {
            var suffix = host.substring(1);
            return known.stream().anyMatch(name -> name.endsWith(suffix));
        }
        if (known.contains(host) || known.contains("*")) {
            return true;
        }
        for (int dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
            if (known.contains("*" + host.substring(dot))) {
                return true;
            }
        }
        return false;
    }

    /// Those that somebody has now.
    Set<String> present() {
        return present;
    }
}
