package dev.bodyguard.config;

import dev.bodyguard.config.Lead.Given;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.Problem;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.stream.Collectors;

/// Which newest versions wait, so that no mistake in one takes away what is in force: one that leads to what nobody
/// has where the version in force does not, and one that takes away what routes lead to. That a document is gone from
/// a file which stays is a version too. It also waits where another one of that file is a mistake: half a file is one
/// without its last documents. Each that waits may bring others into that state, so it is asked again until nothing
/// changes; each time more wait, so that ends.
final class Hold {
    private final Map<String, Entry> entries;
    private final Map<String, String> successors;
    private final Map<String, List<Part>> displaced;
    private final Collection<? extends Part> workloads;
    private final Names names;
    /// Keys of documents whose newest version is to come into force.
    private final Set<String> applicable;
    private final Map<String, List<Problem>> why = new TreeMap<>();
    /// Those of them that wait only because of others.
    private final Set<String> beside = new HashSet<>();
    /// Those of them that hold beside the version in force: they are about nobody yet, and who comes must not find that
    /// they hold only a moment later.
    private final Set<String> both = new HashSet<>();

    private Mesh mesh;

    /// What was decided.
    ///
    /// @param why keys of documents whose newest version waits, and what to tell their authors
    /// @param mesh of what is in force then
    record Held(Map<String, List<Problem>> why, Mesh mesh) {}

    /// @param undecided keys of documents with a newest version that is not in force
    /// @param successors keys of documents that come in place of others, and of which ([Successors])
    /// @param displaced keys of documents that would speak in place of rules, and of which ([Displaced])
    /// @param names learns of the mesh
    Hold(
            Map<String, Entry> entries,
            Set<String> undecided,
            Map<String, String> successors,
            Map<String, List<Part>> displaced,
            Collection<? extends Part> workloads,
            Names names) {
        this.entries = entries;
        this.successors = successors;
        this.displaced = displaced;
        this.applicable = new TreeSet<>(undecided);
        this.workloads = workloads;
        this.names = names;
        this.mesh = look();
    }

    Held decide() {
        // Policies before routes: by the subsets that they define it shows which routes lead to none.
        while (astray() || policiesAstray() || routesAstray() || aimless() || depriving() || cutOff()) {
            mesh = look();
        }
        return new Held(why, mesh);
    }

    private Mesh look() {
        var parts = new ArrayList<Part>(workloads);
        entries.forEach((key, entry) -> {
            boolean newest = applicable.contains(key);
            if (newest || both.contains(key)) {
                parts.addAll(entry.says().parts());
            }
            if (!newest) {
                parts.addAll(entry.parts());
            }
        });
        var made = Mesh.of(parts);
        names.look(made);
        return made;
    }

    /// Holds what moved to a namespace in which nobody is, and whose name is nearly that of the one before.
    private boolean astray() {
        return hold((key, entry) -> {
            var before = successors.get(key);
            return before == null
                    ? List.of()
                    : Losses.misplaced(entry, entry(before).newest(), names).stream()
                            .toList();
        });
    }

    private boolean policiesAstray() {
        var dangling = new Dangling(mesh, names);
        return hold((key, entry) -> dangling.newly(
                Lead.ofPolicies(before(key)), Lead.ofPolicies(entry.says().parts())));
    }

    /// What is in force of a document, or of what it comes in place of.
    private List<Part> before(String key) {
        var parts = new ArrayList<>(displaced.getOrDefault(key, List.of()));
        parts.addAll(entry(successors.getOrDefault(key, key)).parts());
        return parts;
    }

    private boolean routesAstray() {
        var dangling = new Dangling(mesh, names);
        return hold((key, entry) -> {
            var before = before(key);
            var now = entry.says().parts();
            var found = new ArrayList<>(dangling.newly(Lead.ofRoutes(before), Lead.ofRoutes(now)));
            found.addAll(dangling.turned(Lead.ofSubjects(before), Lead.ofSubjects(now)));
            displaced.getOrDefault(key, List.of()).stream()
                    .limit(1)
                    .forEach(rules -> found.replaceAll(problem -> new Problem(
                            problem.severity(),
                            problem.origin(),
                            problem.message() + "; until then " + rules.origin() + " speaks")));
            return found;
        });
    }

    /// Holds policies that turn to nobody: whom they were about would be rid of them by a slip of the pen.
    private boolean aimless() {
        var dangling = new Dangling(mesh, names);
        var all = Set.copyOf(applicable);
        boolean some = hold((key, entry) -> {
            var before = before(key);
            var now = entry.says().parts();
            var found = new ArrayList<>(Aim.turned(Aim.of(before), Aim.of(now), mesh));
            found.addAll(dangling.newly(Lead.ofTargets(before), Lead.ofTargets(now)));
            // What was said stays said: who is there besides comes and goes.
            found.replaceAll(problem -> entry.waitsFor().stream()
                    .filter(said -> said.origin().equals(problem.origin()))
                    .findFirst()
                    .orElse(problem));
            return found;
        });
        all.stream()
                .filter(key -> !applicable.contains(key)
                        && isAboutNobody(entry(key).says().parts(), dangling))
                .forEach(both::add);
        return some;
    }

    /// One that is about somebody besides would hold for them before it is in force.
    private boolean isAboutNobody(List<Part> parts, Dangling dangling) {
        return Aim.of(parts).stream().noneMatch(aim -> aim.meets(mesh))
                && Lead.ofTargets(parts).stream().allMatch(lead -> dangling.nobodyHas(lead.to()));
    }

    /// Holds what takes away that to which routes lead.
    private boolean depriving() {
        if (applicable.isEmpty()) {
            return false;
        }
        var dangling = new Dangling(mesh, names);
        var lost = new LinkedHashMap<Given, List<Lead>>();
        for (var lead : Lead.ofRoutes(mesh.routes())) {
            if (lead.to() instanceof Given given && dangling.nobodyHas(given)) {
                lost.computeIfAbsent(given, _ -> new ArrayList<>()).add(lead);
            }
        }
        var files = files();
        return hold((_, entry) -> {
            var taken = new LinkedHashMap<>(lost);
            taken.keySet()
                    .removeIf(given ->
                            !given.by(entry.parts()) || given.by(entry.says().parts()));
            boolean wish = entry.gone() && entry.file().filter(files::contains).isEmpty();
            return taken.isEmpty() || wish ? List.of() : List.of(Losses.taken(taken, entry));
        });
    }

    /// Holds what is gone from a file in which something is a mistake, be it only by what it leads to.
    private boolean cutOff() {
        if (applicable.stream().noneMatch(key -> entry(key).gone())) {
            return false;
        }
        var mistakes = mistakes();
        var whole = Set.copyOf(applicable);
        boolean some = hold((_, entry) -> entry.gone() && !entry.parts().isEmpty()
                ? entry.file().map(mistakes::get).stream()
                        .map(mistake -> Losses.cutOff(entry, mistake))
                        .toList()
                : List.of());
        whole.stream().filter(key -> !applicable.contains(key)).forEach(beside::add);
        return some;
    }

    /// Where in a file something is a mistake, those first that stand in it.
    private Map<String, Origin> mistakes() {
        var first = new HashMap<String, Origin>();
        for (boolean gone : List.of(false, true)) {
            entries.forEach((key, entry) -> {
                var waits = beside.contains(key) ? null : why.get(key);
                var at = waits == null ? entry.mistake() : waits.getFirst().origin();
                if (entry.gone() == gone && at != null) {
                    entry.file().ifPresent(file -> first.putIfAbsent(file, at));
                }
            });
        }
        return first;
    }

    /// Files that have a document.
    private Set<String> files() {
        return entries.values().stream()
                .filter(entry -> !entry.gone())
                .flatMap(entry -> entry.file().stream())
                .collect(Collectors.toSet());
    }

    private Entry entry(String key) {
        return Objects.requireNonNull(entries.get(key));
    }

    /// @param problems because of which a newest version waits; empty where it does not
    /// @return whether some do that did not
    private boolean hold(BiFunction<String, Entry, List<Problem>> problems) {
        return applicable.removeIf(key -> {
            var found = problems.apply(key, entry(key));
            if (!found.isEmpty()) {
                why.put(key, found);
            }
            return !found.isEmpty();
        });
    }
}
