package dev.bodyguard.config;

import dev.bodyguard.config.Lead.Given;
import dev.bodyguard.dialect.Nearest;
import dev.bodyguard.model.BackendPolicy;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.Problem;
import dev.bodyguard.model.Service;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a document's newest version takes away that others need, as its author is told. Pure.
final class Losses {
    private Losses() {}

    /// Tells the author of a version that it takes away what routes lead to.
    ///
    /// @param entry the document that gave it and, by its newest version, does not
    /// @param leads all that lead to it, at least one
    static Problem taken(Given to, Entry entry, List<Lead> leads) {
        var places = new ArrayList<>(
                leads.stream().map(lead -> place(lead.at())).distinct().toList());
        var who = places.removeFirst()
                + (places.isEmpty() ? " leads" : " and " + places.size() + " more place(s) lead")
                + " to ";
        if (entry.gone()) {
            return error(
                    entry.newest().origin(),
                    "is gone from its file, but " + who + shown(to)
                            + ", which it defines; put it back, or change the route too. It goes by itself once nothing"
                            + " leads there, and at once with the whole file");
        }
        var words = "; put it back, or change the route too. This version waits until somebody else has it, or nothing"
                + " leads to it";
        return switch (to) {
            case Lead.Host(var host) -> {
                var there = hosts(entry.says().parts());
                var near = Nearest.of(host, there);
                yield error(
                        entry.newest().origin(),
                        "host " + host + " is gone" + instead(there, near, host) + ", and " + who + "it" + words);
            }
            case Lead.Subset(var host, var subset) -> {
                var policies = policies(host, entry.says().parts());
                var before = names(policies(host, entry.parts()));
                var there = names(policies);
                var near = Nearest.of(
                        subset,
                        there.stream().filter(name -> !before.contains(name)).toList());
                yield error(
                        place(policies, near, entry),
                        "subset " + subset + " is gone" + instead(there, near, subset) + ", and " + who + "it" + words);
            }
        };
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

    /// `payments.yaml:12 (VirtualService default/payment-vs)`.
    private static String place(Origin origin) {
        var object = origin.kind() + " " + origin.namespace() + "/" + origin.name();
        var at = origin.at();
        return at == null ? object : at.file() + ":" + at.line() + " (" + object + ")";
    }

    private static String shown(Given to) {
        return switch (to) {
            case Lead.Host(var host) -> host;
            case Lead.Subset(var host, var subset) -> "subset " + subset + " of " + host;
        };
    }

    private static String instead(List<String> there, @Nullable String near, String gone) {
        if (there.isEmpty()) {
            return "";
        }
        return " (there " + are(there) + (near == null ? "" : "; is " + near + " meant to be " + gone + "?") + ")";
    }

    private static String are(List<String> words) {
        return (words.size() == 1 ? "is " : "are ") + String.join(", ", words);
    }

    private static List<String> hosts(List<Part> parts) {
        return parts.stream()
                .filter(Service.class::isInstance)
                .map(part -> ((Service) part).host())
                .toList();
    }

    private static List<BackendPolicy> policies(String host, List<Part> parts) {
        return parts.stream()
                .filter(part -> part instanceof BackendPolicy policy && Lead.covers(policy.host(), host))
                .map(BackendPolicy.class::cast)
                .toList();
    }

    private static List<String> names(List<BackendPolicy> policies) {
        return policies.stream()
                .flatMap(policy -> policy.subsets().stream())
                .map(BackendPolicy.Subset::name)
                .toList();
    }

    /// Where the subset of this name is defined, else the first one, else what the policy is about.
    private static Origin place(List<BackendPolicy> policies, @Nullable String near, Entry entry) {
        return policies.stream()
                .flatMap(policy -> policy.subsets().stream())
                .filter(subset -> near == null || subset.name().equals(near))
                .findFirst()
                .map(BackendPolicy.Subset::origin)
                .orElseGet(() -> entry.says().parts().stream()
                        .filter(BackendPolicy.class::isInstance)
                        .map(part -> ((BackendPolicy) part).hostAt())
                        .findFirst()
                        .orElse(entry.newest().origin()));
    }
}
