package dev.bodyguard.xds.snapshot;

import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Resources held in memory, everything computed beforehand.
public final class Snapshot implements Resources {
    private final String generation;
    private final Map<String, Kind> kinds;

    private record Kind(Map<String, NamedResource> byName, Map<String, NamedResource> byAlias) {
        Kind() {
            this(new LinkedHashMap<>(), new HashMap<>());
        }
    }

    private Snapshot(String generation, Map<String, Kind> kinds) {
        this.generation = generation;
        this.kinds = kinds;
    }

    /// Resources of any types; two of the same type and name are a mistake of the caller.
    public static Snapshot of(String generation, Collection<NamedResource> resources) {
        var kinds = new HashMap<String, Kind>();
        for (var resource : resources) {
            var kind = kinds.computeIfAbsent(resource.typeUrl(), _ -> new Kind());
            if (kind.byName.put(resource.name(), resource) != null) {
                throw new IllegalArgumentException("two resources named " + resource.name() + " of type "
                        + resource.typeUrl() + " in generation " + generation);
            }
            for (var alias : resource.aliases()) {
                kind.byAlias.putIfAbsent(alias, resource);
            }
        }
        return new Snapshot(generation, kinds);
    }

    public static Snapshot empty() {
        return new Snapshot("empty", Map.of());
    }

    @Override
    public String generation() {
        return generation;
    }

    @Override
    public Optional<NamedResource> find(String typeUrl, String name) {
        var kind = kinds.get(typeUrl);
        if (kind == null) {
            return Optional.empty();
        }
        var named = kind.byName.get(name);
        return Optional.ofNullable(named != null ? named : kind.byAlias.get(name));
    }

    @Override
    public Collection<String> names(String typeUrl) {
        var kind = kinds.get(typeUrl);
        return kind == null ? Set.of() : Set.copyOf(kind.byName.keySet());
    }
}
