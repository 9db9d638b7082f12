package dev.bodyguard.proxy.engine;

import java.util.List;

/// Changes to a message's headers, removals first, then the others in order. Names are in lower case.
public record HeaderChanges(List<String> remove, List<Put> put) {
    /// Changes nothing.
    public static final HeaderChanges NONE = new HeaderChanges(List.of(), List.of());

    public HeaderChanges {
        remove = List.copyOf(remove);
        put = List.copyOf(put);
    }

    /// Whether there is nothing to do.
    public boolean isEmpty() {
        return remove.isEmpty() && put.isEmpty();
    }

    /// A header to write.
    public record Put(String name, String value, How how) {}

    /// What happens to a value that is there already.
    public enum How {
        /// It stays, and the new one is added.
        APPEND,
        /// It stays, and the new one is not added.
        ADD_IF_ABSENT,
        /// It is replaced; where there is none the new one is added.
        OVERWRITE_OR_ADD,
        /// It is replaced; where there is none nothing happens.
        OVERWRITE_IF_PRESENT
    }
}
