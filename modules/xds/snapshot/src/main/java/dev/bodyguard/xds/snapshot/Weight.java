package dev.bodyguard.xds.snapshot;

import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;

/// What things of a client's choosing cost in memory.
final class Weight {
    /// What a name, or a record of something sent, costs besides its characters.
    static final int NAME = 64;

    private static final int REFERENCES = 16;

    private Weight() {}

    static long ofName(String name) {
        return NAME + (long) name.length();
    }

    static long ofNames(Collection<String> names) {
        return names.stream().mapToLong(Weight::ofName).sum();
    }

    /// Names and versions of resources, whose texts are there anyway.
    static long ofReferences(int pairs) {
        return (long) pairs * REFERENCES;
    }

    /// One sentence may be the reason for many resources; it is there once.
    static long ofReasons(Collection<String> reasons) {
        if (reasons.isEmpty()) {
            return 0;
        }
        var different = Collections.<String>newSetFromMap(new IdentityHashMap<>());
        different.addAll(reasons);
        return ofReferences(reasons.size()) + ofNames(different);
    }
}
