package dev.bodyguard.config;

import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Problem;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/// Names in documents that nobody has, subsets that no instance is in, and policies that are about nobody. One that
/// nobody ever knew is a typo once it has been so for a while, as a service comes with its first workload, and so is a
/// label; a name that only a document gave, and no longer does, is told at once. Times are of [System#nanoTime()];
/// owned by one thread.
final class Doubts {
    private final Duration patience;
    private final Names names;
    private final Map<Doubt, Long> since = new LinkedHashMap<>();
    private Mesh mesh = Mesh.of(List.of());
    /// Hosts that documents led to and somebody had, as of the last mesh.
    private Set<String> known = Set.of();
    /// Whom documents are about and who was there: their workloads come and go.
    private final Set<Aim.Who> met = new HashSet<>();

    /// What was said of those that were told, which does not change with the names that are near.
    private final Map<Doubt, Problem> said = new HashMap<>();

    private sealed interface Doubt {}

    /// @param consequence what comes of it
    private record Unknown(Lead lead, String consequence) implements Doubt {}

    private record Empty(Vacancy vacancy) implements Doubt {}

    private record Missed(Aim aim) implements Doubt {}

    /// @param names learn of each mesh before this does
    Doubts(Duration patience, Names names) {
        this.patience = patience;
        this.names = names;
    }

    /// Takes a new mesh in.
    void look(Mesh next, long now) {
        mesh = next;
        var unknown = new LinkedHashSet<Unknown>();
        var had = known;
        known = new HashSet<>();
        for (var routes : mesh.routes()) {
            var destinations = unknown(Lead.ofRoutes(List.of(routes)));
            destinations.forEach(lead -> unknown.add(new Unknown(lead, "requests routed there get a 503")));
            // One mistake is told once.
            var told = destinations.stream().map(Lead::to).collect(Collectors.toSet());
            unknown(Lead.ofSubjects(List.of(routes))).stream()
                    .filter(lead -> !told.contains(lead.to())
                            && names.isOfMesh(lead.to().host()))
                    .forEach(lead -> unknown.add(new Unknown(lead, "these rules hold for requests to that name only")));
        }
        unknown(Lead.ofPolicies(mesh.policies())).stream()
                .filter(lead -> names.isOfMesh(lead.to().host()))
                .forEach(lead -> unknown.add(new Unknown(lead, "this holds for nobody")));
        unknown(Lead.ofTargets(mesh.parts())).forEach(lead -> unknown.add(new Unknown(lead, "this holds for nobody")));
        var all = new LinkedHashSet<Doubt>(unknown);
        Vacancy.in(mesh).forEach(vacancy -> all.add(new Empty(vacancy)));
        missed(Aim.of(mesh.parts())).forEach(aim -> all.add(new Missed(aim)));
        since.keySet().retainAll(all);
        said.keySet().retainAll(all);
        unknown.stream()
                .filter(one -> had.contains(one.lead().to().host()))
                .forEach(one -> since.putIfAbsent(one, now - patience.toNanos()));
        all.forEach(one -> since.putIfAbsent(one, now));
    }

    /// Those that meet nobody and never did; where there is no workload at all, nothing is to be said of theirs.
    private List<Aim> missed(Set<Aim> aims) {
        met.retainAll(aims.stream().map(Aim::who).collect(Collectors.toSet()));
        var missed = new ArrayList<Aim>();
        for (var aim : aims) {
            boolean ofWorkloads = aim.who() instanceof Aim.Who.Labelled;
            if (met.contains(aim.who()) || (ofWorkloads && mesh.workloads().isEmpty())) {
                continue;
            }
            if (!aim.meets(mesh)) {
                missed.add(aim);
            } else if (ofWorkloads) {
                met.add(aim.who());
            }
        }
        return missed;
    }

    private List<Lead> unknown(List<Lead> leads) {
        var unknown = new ArrayList<Lead>();
        for (var lead : leads) {
            if (lead.to() instanceof Lead.Host(var host)) {
                if (names.know(host)) {
                    known.add(host);
                } else {
                    unknown.add(lead);
                }
            }
        }
        return unknown;
    }

    /// What authors are to be told by now.
    List<Problem> told(long now) {
        return since.entrySet().stream()
                .filter(one -> now - one.getValue() >= patience.toNanos())
                .map(one -> said.computeIfAbsent(one.getKey(), this::problem))
                .distinct()
                .toList();
    }

    /// Nanoseconds until more is to be told; [Long#MAX_VALUE] where nothing will be.
    long next(long now) {
        return since.values().stream()
                .mapToLong(began -> patience.toNanos() - (now - began))
                .filter(left -> left > 0)
                .min()
                .orElse(Long.MAX_VALUE);
    }

    private Problem problem(Doubt doubt) {
        return switch (doubt) {
            case Unknown unknown -> problem(unknown);
            case Empty(var vacancy) -> vacancy.problem(mesh);
            case Missed(var aim) -> aim.doubt(mesh);
        };
    }

    private Problem problem(Unknown doubt) {
        var at = doubt.lead().at();
        var host = doubt.lead().to().host();
        var near = names.nearest(host, at.namespace());
        return new Problem(
                Problem.Severity.WARNING,
                at,
                "nobody knows " + host + ": no Service, ServiceEntry, service account or workload has that name; "
                        + doubt.consequence()
                        + (near.isEmpty()
                                ? ". Correct the name, or add what it names"
                                : ". Did you mean " + near + "?"));
    }
}
