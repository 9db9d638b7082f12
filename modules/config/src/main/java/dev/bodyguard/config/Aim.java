package dev.bodyguard.config;

import dev.bodyguard.dialect.Nearest;
import dev.bodyguard.model.AuthorizationPolicy;
import dev.bodyguard.model.BackendPolicy;
import dev.bodyguard.model.HttpRoutes;
import dev.bodyguard.model.Ingress;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.OutboundPolicy;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.PeerAuthentication;
import dev.bodyguard.model.PeerAuthentication.Scope;
import dev.bodyguard.model.PolicyTarget;
import dev.bodyguard.model.Problem;
import dev.bodyguard.model.RateLimit;
import dev.bodyguard.model.Server;
import dev.bodyguard.model.Service;
import dev.bodyguard.model.ServiceAccount;
import dev.bodyguard.model.Workload;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Whom a policy is about, and where its author says so. One that is about nobody does nothing.
record Aim(Who who, Origin at) {
    private static final int MOST_SHOWN = 3;

    /// Whom; aims are compared by it.
    sealed interface Who {
        /// Workloads of a namespace, of all where it is a root namespace, that carry these labels.
        record Labelled(String namespace, Map<String, String> labels) implements Who {}

        /// What a Server selects.
        record OfServer(String namespace, String name) implements Who {}
    }

    /// Those of these parts. The services that a `targetRef` names are [Lead#ofTargets].
    static Set<Aim> of(Collection<? extends Part> parts) {
        var all = new LinkedHashSet<Aim>();
        for (var part : parts) {
            switch (part) {
                case AuthorizationPolicy policy -> add(policy.target(), all);
                case RateLimit limit -> add(limit.target(), all);
                case Server server -> all.add(labelled(server.namespace(), server.selector(), server.selectorAt()));
                case PeerAuthentication policy -> {
                    switch (policy.scope()) {
                        case Scope.Everywhere _ -> {}
                        case Scope.Namespace(var name) -> all.add(labelled(name, Map.of(), policy.scopeAt()));
                        case Scope.Labelled(var namespace, var labels) ->
                            all.add(labelled(namespace, labels, policy.scopeAt()));
                    }
                }
                case Service _,
                        Workload _,
                        HttpRoutes _,
                        BackendPolicy _,
                        OutboundPolicy _,
                        Ingress _,
                        ServiceAccount _ -> {}
            }
        }
        return all;
    }

    private static void add(PolicyTarget target, Set<Aim> all) {
        switch (target) {
            case PolicyTarget.Labelled(var namespace, var labels, var at) -> all.add(labelled(namespace, labels, at));
            case PolicyTarget.Services _ -> {}
            case PolicyTarget.OfServer(var namespace, var name, var at) ->
                all.add(new Aim(new Who.OfServer(namespace, name), at));
        }
    }

    private static Aim labelled(String namespace, Map<String, String> labels, Origin at) {
        return new Aim(new Who.Labelled(namespace, labels), at);
    }

    /// Whether anybody is there.
    boolean meets(Mesh mesh) {
        return switch (who) {
            case Who.Labelled(var namespace, var labels) ->
                in(namespace, mesh).anyMatch(workload -> workload.carries(labels));
            case Who.OfServer server -> servers(server.namespace, mesh).contains(server.name);
        };
    }

    private static Stream<Workload> in(String namespace, Mesh mesh) {
        return mesh.workloads().stream()
                .filter(workload ->
                        Mesh.isRoot(namespace) || workload.namespace().equals(namespace));
    }

    private static List<String> servers(String namespace, Mesh mesh) {
        return mesh.parts().stream()
                .flatMap(part ->
                        part instanceof Server server && server.namespace().equals(namespace)
                                ? Stream.of(server.name())
                                : Stream.of())
                .toList();
    }

    /// What authors are told whose newest version is about nobody, and about others than the one in force.
    static List<Problem> turned(Set<Aim> inForce, Set<Aim> newest, Mesh mesh) {
        var before = inForce.stream().map(Aim::who).collect(Collectors.toSet());
        return newest.stream()
                .filter(aim -> !before.contains(aim.who) && !aim.meets(mesh))
                .map(aim -> {
                    var miss = aim.miss(mesh);
                    return new Problem(
                            Problem.Severity.ERROR,
                            aim.at,
                            miss.sentence
                                    + (miss.near == null
                                            ? "; correct that, or " + miss.add + "."
                                            : "; did you mean " + miss.near + "?")
                                    + " This version waits until there is one");
                })
                .toList();
    }

    /// What its author is told of it where it meets nobody.
    Problem doubt(Mesh mesh) {
        var miss = miss(mesh);
        return new Problem(
                Problem.Severity.WARNING,
                at,
                miss.sentence + "; this holds for nobody. "
                        + (miss.near == null ? "Correct that, or " + miss.add : "Did you mean " + miss.near + "?"));
    }

    /// @param sentence who is not there
    /// @param near what was probably meant; null where nothing is near
    /// @param add what would help besides
    private record Miss(String sentence, @Nullable String near, String add) {}

    private Miss miss(Mesh mesh) {
        return switch (who) {
            case Who.Labelled(var namespace, var labels) ->
                in(namespace, mesh).findAny().isEmpty()
                        ? nobodyIn(namespace, mesh)
                        : nobodyHas(labels, namespace, mesh);
            case Who.OfServer(var namespace, var name) ->
                new Miss(
                        "namespace " + namespace + " has no Server " + name,
                        Nearest.of(name, servers(namespace, mesh)),
                        "add that Server");
        };
    }

    private static Miss nobodyIn(String namespace, Mesh mesh) {
        var others = mesh.workloads().stream().map(Workload::namespace).collect(Collectors.toSet());
        return new Miss(
                "namespace " + namespace + " has no workload", Nearest.of(namespace, others), "start a workload there");
    }

    private static Miss nobodyHas(Map<String, String> labels, String namespace, Mesh mesh) {
        var alike = in(namespace, mesh)
                .map(workload -> shown(of(workload, labels.keySet())))
                .filter(some -> !some.isEmpty())
                .distinct()
                .sorted()
                .toList();
        // A key that is misspelt is none that anybody has.
        var single = in(namespace, mesh)
                .flatMap(workload -> workload.labels().entrySet().stream())
                .map(label -> shown(Map.of(label.getKey(), label.getValue())))
                .distinct()
                .sorted()
                .toList();
        var near = Nearest.of(shown(labels), alike.isEmpty() ? single : alike);
        return new Miss(
                (Mesh.isRoot(namespace) ? "the mesh" : "namespace " + namespace) + " has no workload with the labels "
                        + shown(labels) + (near != null || alike.isEmpty() ? "" : ", but with " + some(alike)),
                near,
                "start such a workload");
    }

    private static Map<String, String> of(Workload workload, Set<String> keys) {
        return workload.labels().entrySet().stream()
                .filter(label -> keys.contains(label.getKey()))
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    private static String shown(Map<String, String> labels) {
        return new TreeMap<>(labels).entrySet().stream().map(Object::toString).collect(Collectors.joining(","));
    }

    private static String some(List<String> all) {
        return String.join(" and ", all.subList(0, Math.min(MOST_SHOWN, all.size())))
                + (all.size() > MOST_SHOWN ? " and " + (all.size() - MOST_SHOWN) + " others" : "");
    }
}
