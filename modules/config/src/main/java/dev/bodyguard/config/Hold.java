package dev.bodyguard.config;

import dev.bodyguard.config.Lead.To;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.Problem;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;

/// Which newest versions wait, so that no mistake in one takes away what is in force: one that leads to what nobody has
/// where the version in force does not, and one that takes away what routes lead to. Each that waits may bring others
/// into that state, so it is asked again until nothing changes; each time more wait, so that ends.
final class Hold {
    private final Map<String, Entry> entries;
    private final Collection<? extends Part> workloads;
    private final Names names;
    /// Keys of documents whose newest version is to come into force.
    private final Set<String> applicable;
    private final Map<String, List<Problem>> why = new TreeMap<>();
    private Mesh mesh;

    /// What was decided.
    ///
    /// @param why keys of documents whose newest version waits, and what to tell their authors
    /// @param mesh of what is in force then
    record Held(Map<String, List<Problem>> why, Mesh mesh) {}

    /// @param undecided keys of documents with a newest version that is not in force
    /// @param names learns of the mesh
    Hold(Map<String, Entry> entries, Set<String> undecided, Collection<? extends Part> workloads, Names names) {
        this.entries = entries;
        this.applicable = new TreeSet<>(undecided);
        this.workloads = workloads;
        this.names = names;
        this.mesh = look();
    }

    Held decide() {
        // Policies before routes: by the subsets that they define it shows which routes lead to none.
        while (astray(Lead::ofPolicies) || astray(Lead::ofRoutes) || depriving()) {
            mesh = look();
        }
        return new Held(why, mesh);
    }

    private Mesh look() {
        var parts = new ArrayList<Part>(workloads);
        entries.forEach((key, entry) ->
                parts.addAll(applicable.contains(key) ? entry.says().parts() : entry.parts()));
        var made = Mesh.of(parts);
        names.look(made);
        return made;
    }

    /// Holds what newly leads to what nobody has.
    private boolean astray(Function<List<Part>, List<Lead>> leads) {
        var dangling = new Dangling(mesh, names);
        return hold(entry -> dangling.newly(
                leads.apply(entry.parts()), leads.apply(entry.says().parts())));
    }

    /// Holds what takes away that to which routes lead.
    private boolean depriving() {
        if (applicable.isEmpty()) {
            return false;
        }
        var dangling = new Dangling(mesh, names);
        var lost = new LinkedHashMap<To, List<Lead>>();
        for (var lead : Lead.ofRoutes(mesh.routes())) {
            if (dangling.nobodyHas(lead.to())) {
                lost.computeIfAbsent(lead.to(), _ -> new ArrayList<>()).add(lead);
            }
        }
        return hold(entry -> lost.entrySet().stream()
                .filter(one -> one.getKey().givenBy(entry.parts())
                        && !one.getKey().givenBy(entry.says().parts()))
                .map(one -> Losses.taken(one.getKey(), entry, one.getValue()))
                .toList());
    }

    /// @param problems because of which a newest version waits; empty where it does not
    /// @return whether some do that did not
    private boolean hold(Function<Entry, List<Problem>> problems) {
        return applicable.removeIf(key -> {
            var found = problems.apply(Objects.requireNonNull(entries.get(key)));
            if (!found.isEmpty()) {
                why.put(key, found);
            }
            return !found.isEmpty();
        });
    }
}
