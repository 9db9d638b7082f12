package dev.bodyguard.dialect;

import dev.bodyguard.model.Document;
import dev.bodyguard.model.Location;
import dev.bodyguard.model.Problem;
import dev.bodyguard.model.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// What a document's `apiVersion` and `kind` say, and what they may have been meant to say. A kind that is misspelt is
/// nobody's, so that without this an edit of one letter would take away what was in force.
final class Spelling {
    /// How far a group or a version may be from one that is known: groups of others are often called alike.
    private static final int LETTERS = 2;

    /// What there is in these groups besides the kinds that are understood. None of it is another one misspelt.
    private static final Map<String, Set<String>> BESIDES = Map.of(
            "",
            Set.of(
                    "Binding",
                    "ComponentStatus",
                    "ConfigMap",
                    "Endpoints",
                    "Event",
                    "LimitRange",
                    "List",
                    "Namespace",
                    "Node",
                    "PersistentVolume",
                    "PersistentVolumeClaim",
                    "Pod",
                    "PodTemplate",
                    "ReplicationController",
                    "ResourceQuota",
                    "Secret"),
            "networking.istio.io",
            Set.of("EnvoyFilter", "Gateway", "ProxyConfig", "WorkloadGroup"),
            "security.istio.io",
            Set.of("RequestAuthentication"),
            "gateway.networking.k8s.io",
            Set.of(
                    "BackendLBPolicy",
                    "BackendTLSPolicy",
                    "Gateway",
                    "GatewayClass",
                    "ListenerSet",
                    "ReferenceGrant",
                    "ReferencePolicy",
                    "TCPRoute",
                    "TLSRoute",
                    "UDPRoute"),
            "policy.linkerd.io",
            Set.of(
                    "AuthorizationPolicy",
                    "EgressNetwork",
                    "MeshTLSAuthentication",
                    "NetworkAuthentication",
                    "ServerAuthorization",
                    "TCPRoute",
                    "TLSRoute"));

    /// Kinds by group, then by name.
    private final Map<String, Map<String, Kind>> known = new LinkedHashMap<>();

    Spelling(List<Kind> kinds) {
        kinds.forEach(kind ->
                known.computeIfAbsent(kind.group(), _ -> new LinkedHashMap<>()).put(kind.name(), kind));
    }

    sealed interface Reading {}

    /// It is of this kind.
    record Right(Kind kind) implements Reading {}

    /// It is of no kind, but nearly.
    ///
    /// @param meant the document with `apiVersion` and `kind` as they should be
    /// @param problems what is wrong with them, as errors
    record Misspelt(Document meant, List<Problem> problems) implements Reading {}

    /// It is of a kind that has no effect here.
    record Foreign() implements Reading {}

    Reading read(Document document) {
        var kind = kind(document);
        if (kind == null) {
            return new Foreign();
        }
        var problems = new ArrayList<Problem>();
        if (!kind.name().equals(document.kind())) {
            problems.add(problem(
                    document,
                    "kind",
                    "there is no " + document.kind() + " in " + document.apiVersion() + "; did you mean " + kind.name()
                            + "?"));
        }
        if (!kind.apiVersions().contains(document.apiVersion())) {
            problems.add(problem(
                    document,
                    "apiVersion",
                    "must be " + choice(kind) + ", was " + document.apiVersion() + "; did you mean "
                            + kind.apiVersion(version(kind, document)) + "?"));
        }
        if (problems.isEmpty()) {
            return new Right(kind);
        }
        return new Misspelt(
                new Document(
                        kind.apiVersion(version(kind, document)),
                        kind.name(),
                        document.namespace(),
                        document.name(),
                        document.resourceVersion(),
                        document.root()),
                problems);
    }

    /// What the document is, or is meant to be; null where that is none of our business.
    private @Nullable Kind kind(Document document) {
        int slash = document.apiVersion().indexOf('/');
        var group = slash < 0 ? "" : document.apiVersion().substring(0, slash);
        var ofGroup = known.get(group);
        if (ofGroup == null) {
            var near = Nearest.within(LETTERS, group, groups());
            return near == null ? null : known.getOrDefault(near, Map.of()).get(document.kind());
        }
        var besides = BESIDES.getOrDefault(group, Set.of());
        if (ofGroup.containsKey(document.kind()) || besides.contains(document.kind())) {
            return ofGroup.get(document.kind());
        }
        // All kinds of this group are known here, so it is the group that is wrong, or some letters of the kind.
        var elsewhere = known.values().stream()
                .filter(kinds -> kinds.containsKey(document.kind()))
                .findFirst();
        if (elsewhere.isPresent()) {
            return elsewhere.get().get(document.kind());
        }
        var words = new LinkedHashSet<>(ofGroup.keySet());
        words.addAll(besides);
        var near = Nearest.of(document.kind(), words);
        return near == null ? null : ofGroup.get(near);
    }

    /// Those that have a name, and so could be misspelt.
    private List<String> groups() {
        return known.keySet().stream().filter(group -> !group.isEmpty()).toList();
    }

    /// The version as it is written, or the nearest to it, or the newest.
    private static String version(Kind kind, Document document) {
        var written = document.apiVersion().substring(document.apiVersion().indexOf('/') + 1);
        var near = Nearest.within(LETTERS, written, kind.versions());
        return near == null ? kind.versions().getFirst() : near;
    }

    /// Every kind, by group: `security.istio.io AuthorizationPolicy and PeerAuthentication, v1 Service`.
    String vocabulary() {
        return known.values().stream()
                .map(kinds -> {
                    var any = kinds.values().iterator().next();
                    var group = any.group().isEmpty() ? any.apiVersions().getFirst() : any.group();
                    return group + " " + enumerated(List.copyOf(kinds.keySet()), "and");
                })
                .collect(Collectors.joining(", "));
    }

    /// `networking.istio.io/v1, v1beta1 or v1alpha3`.
    private static String choice(Kind kind) {
        var versions = new ArrayList<>(kind.versions());
        versions.set(0, kind.apiVersion(versions.getFirst()));
        return enumerated(versions, "or");
    }

    private static String enumerated(List<String> words, String last) {
        int most = words.size() - 1;
        return most == 0
                ? words.getFirst()
                : String.join(", ", words.subList(0, most)) + " " + last + " " + words.get(most);
    }

    private static Problem problem(Document document, String field, String message) {
        Value value = document.root().get(field);
        Location at = value == null ? document.root().at() : value.at();
        return new Problem(Problem.Severity.ERROR, document.origin(field, at), message);
    }
}
