package dev.bodyguard.config;

import dev.bodyguard.config.Lead.Given;
import dev.bodyguard.dialect.Nearest;
import dev.bodyguard.model.BackendPolicy;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.Problem;
import dev.bodyguard.model.Service;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.Collectors;

/// What a document's newest version takes away that others need, as its author is told. Pure.
final class Losses {
    private Losses() {}

    /// Tells the author of a version that it takes away what routes lead to.
    ///
    /// @param entry the document that gave it and, by its newest version, does not
    /// @param lost what that is, at least one, each with all that lead to it, at least one
    static Problem taken(SequencedMap<Given, List<Lead>> lost, Entry entry) {
        return entry.gone() ? removed(lost, entry) : edited(lost, entry);
    }

    /// Tells the author of a document that moved to a namespace which nobody is in that it is probably misspelt; empty
    /// where it is not.
    ///
    /// @param before the document in whose place it came
    static Optional<Problem> misplaced(Entry entry, Document before, Names names) {
        var namespace = entry.newest().namespace();
        return namespace.equals(before.namespace())
                        || names.livesIn(namespace)
                        || !names.livesIn(before.namespace())
                        || Nearest.of(namespace, Set.of(before.namespace())) == null
                ? Optional.empty()
                : Optional.of(error(
                        entry.newest().origin(),
                        "nobody is in namespace " + namespace + "; did you mean " + before.namespace()
                                + "? This version waits until a Service, service account or workload is there"));
    }

    private static Problem removed(SequencedMap<Given, List<Lead>> lost, Entry entry) {
        var what = lost.keySet().stream().map(Losses::inFull).collect(Collectors.joining(", "));
        return error(
                entry.newest().origin(),
                "is gone from its file, but " + leading(lost.values()) + " to " + what
                        + ", which it defines; put it back, or change the route too. It goes by itself once nothing"
                        + " leads there, and at once with the whole file");
    }

    private static Problem edited(SequencedMap<Given, List<Lead>> lost, Entry entry) {
        boolean one = lost.size() == 1;
        var before = offers(lost.keySet(), entry.parts());
        var now = offers(lost.keySet(), entry.says().parts());
        var fresh =
                now.keySet().stream().filter(name -> !before.containsKey(name)).toList();
        var there =
                now.isEmpty() ? "" : "there " + (now.size() == 1 ? "is " : "are ") + String.join(", ", now.keySet());
        var at = now.isEmpty() ? subject(entry) : now.firstEntry().getValue();
        for (var given : lost.keySet()) {
            var near = Nearest.of(name(given), fresh);
            if (near != null) {
                there += "; is " + near + " meant to be " + name(given) + "?";
                at = now.getOrDefault(near, at);
                break;
            }
        }
        return error(
                at,
                lost.keySet().stream().map(Losses::inShort).collect(Collectors.joining(", "))
                        + (one ? " is gone" : " are gone")
                        + (there.isEmpty() ? "" : " (" + there + ")")
                        + ", and " + leading(lost.values()) + (one ? " to it" : " to them")
                        + "; put " + (one ? "it" : "them") + " back, or change the route too. This version waits until"
                        + " somebody else has " + (one ? "it" : "them") + ", or nothing leads there");
    }

    /// Tells the author that a document is not taken out of force because another of its file is a mistake.
    ///
    /// @param mistake where that is
    static Problem cutOff(Entry entry, Origin mistake) {
        return error(
                entry.newest().origin(),
                "is gone from its file, in which " + place(mistake)
                        + " is a mistake, so this may be one too; correct that, and this goes by itself");
    }

    private static Problem error(Origin at, String message) {
        return new Problem(Problem.Severity.ERROR, at, message);
    }

    /// `payments.yaml:12 (VirtualService default/payment-vs) leads`.
    private static String leading(Collection<List<Lead>> leads) {
        var places = leads.stream()
                .flatMap(List::stream)
                .map(lead -> place(lead.at()))
                .distinct()
                .toList();
        return switch (places.size()) {
            case 1 -> places.getFirst() + " leads";
            case 2 -> places.getFirst() + " and " + places.getLast() + " lead";
            default -> places.getFirst() + " and " + (places.size() - 1) + " other places lead";
        };
    }

    private static String place(Origin origin) {
        var object = origin.kind() + " " + origin.namespace() + "/" + origin.name();
        var at = origin.at();
        return at == null ? object : at.file() + ":" + at.line() + " (" + object + ")";
    }

    private static String name(Given given) {
        return switch (given) {
            case Lead.Host(var host) -> host;
            case Lead.Subset(var _, var subset) -> subset;
        };
    }

    private static String inShort(Given given) {
        return switch (given) {
            case Lead.Host(var host) -> "host " + host;
            case Lead.Subset(var _, var subset) -> "subset " + subset;
        };
    }

    private static String inFull(Given given) {
        return switch (given) {
            case Lead.Host(var host) -> host;
            case Lead.Subset(var host, var subset) -> "subset " + subset + " of " + host;
        };
    }

    /// What a document has of the kind that is lost: subsets of the same hosts, or hosts; and where they are written.
    private static SequencedMap<String, Origin> offers(Set<Given> lost, List<Part> parts) {
        var offers = new LinkedHashMap<String, Origin>();
        for (var part : parts) {
            if (part instanceof BackendPolicy policy
                    && lost.stream().anyMatch(given -> Lead.covers(policy.host(), given.host()))) {
                policy.subsets().forEach(subset -> offers.putIfAbsent(subset.name(), subset.origin()));
            }
            if (part instanceof Service service) {
                offers.putIfAbsent(service.host(), service.origin());
            }
        }
        return offers;
    }

    /// Where a document says what it is about.
    private static Origin subject(Entry entry) {
        return Lead.ofPolicies(entry.says().parts()).stream()
                .findFirst()
                .map(Lead::at)
                .orElse(entry.newest().origin());
    }
}
