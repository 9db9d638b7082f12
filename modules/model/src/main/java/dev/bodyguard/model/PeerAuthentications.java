package dev.bodyguard.model;

import dev.bodyguard.model.PeerAuthentication.Mode;
import dev.bodyguard.model.PeerAuthentication.Scope;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Which mode holds for whom, by Istio's precedence: that of a workload goes before that of its namespace, and that
/// before the mesh's; of two of one scope the one that came first is in force, and alone.
final class PeerAuthentications {
    /// First the one that came first.
    private final List<PeerAuthentication> all;

    PeerAuthentications(List<PeerAuthentication> all) {
        this.all = all;
    }

    /// Empty where no document says.
    Optional<Mode> mode(String namespace, Map<String, String> labels, int port) {
        var own = of(namespace, labels);
        var ofPort = own.map(policy -> policy.ports().get(port));
        return ofPort.or(() -> said(own))
                .or(() -> said(first(scope -> scope.equals(new Scope.Namespace(namespace)))))
                .or(() -> said(first(scope -> scope instanceof Scope.Everywhere)));
    }

    /// The one that selects a workload by its labels.
    Optional<PeerAuthentication> of(String namespace, Map<String, String> labels) {
        return first(scope -> selects(scope, namespace, labels));
    }

    private static boolean selects(Scope scope, String namespace, Map<String, String> labels) {
        return scope instanceof Scope.Labelled(var where, var wanted)
                && where.equals(namespace)
                && labels.entrySet().containsAll(wanted.entrySet());
    }

    private interface Match {
        boolean of(Scope scope);
    }

    private Optional<PeerAuthentication> first(Match match) {
        return all.stream().filter(policy -> match.of(policy.scope())).findFirst();
    }

    private static Optional<Mode> said(Optional<PeerAuthentication> policy) {
        return policy.map(PeerAuthentication::mode);
    }

    /// Who lost against whom, as far as anybody is affected.
    Stream<Problem> problems(List<Workload> workloads) {
        return IntStream.range(1, all.size())
                .boxed()
                .flatMap(i -> all.subList(0, i).stream()
                        .filter(earlier -> meet(earlier.scope(), all.get(i).scope(), workloads))
                        .limit(1)
                        .map(winner -> lost(all.get(i), winner)));
    }

    private static boolean meet(Scope one, Scope other, List<Workload> workloads) {
        return one.equals(other)
                || workloads.stream()
                        .anyMatch(workload -> selects(one, workload.namespace(), workload.labels())
                                && selects(other, workload.namespace(), workload.labels()));
    }

    private static Problem lost(PeerAuthentication loser, PeerAuthentication winner) {
        var about = switch (loser.scope()) {
            case Scope.Everywhere _ -> "for the mesh";
            case Scope.Namespace(var name) -> "for namespace " + name;
            case Scope.Labelled _ -> "for workloads that " + winner.origin() + " selects too";
        };
        return new Problem(
                Problem.Severity.WARNING,
                loser.origin(),
                "not in force " + about + ": " + winner.origin()
                        + " came first, and of two the older decides alone; put both into one document or remove one");
    }
}
