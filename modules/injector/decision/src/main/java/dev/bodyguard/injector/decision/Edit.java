package dev.bodyguard.injector.decision;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// One change of a pod. Paths begin at the pod; the objects and lists named in them may not exist yet.
public sealed interface Edit {
    /// The key under which a pod remembers what was there before, such as `metadata/annotations/prometheus.io/port`.
    record Label(String text) {}

    /// Entries that an object does not have.
    record Entries(List<String> object, Map<String, Tree> entries) implements Edit {
        public Entries {
            object = List.copyOf(object);
            entries = Collections.unmodifiableMap(new LinkedHashMap<>(entries));
        }
    }

    /// Items that come before all others in a list.
    record ItemsFirst(List<String> list, List<Tree> items) implements Edit {
        public ItemsFirst {
            list = List.copyOf(list);
            items = List.copyOf(items);
        }
    }

    /// An entry, which is there, becomes another.
    ///
    /// @param label what it is remembered by
    record Instead(List<String> object, String key, String newKey, Tree value, Label label) implements Edit {
        public Instead {
            object = List.copyOf(object);
        }
    }
}
