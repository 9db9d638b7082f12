package dev.bodyguard.config;

import dev.bodyguard.dialect.Nearest;
import dev.bodyguard.model.BackendPolicy;
import dev.bodyguard.model.HttpRoutes;
import dev.bodyguard.model.HttpRule.Destination;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// What documents lead to that nobody knows: hosts without an owner, subsets without a definition. Pure.
///
/// @param names who has, or had, a name
record Dangling(Mesh mesh, Names names) {
    /// A place in a document, and what it leads to.
    ///
    /// @param to a host, or a subset of one, to compare places by
    /// @param problem tells the author that nobody knows it
    record Lead(String to, Problem problem) {}

    /// What the newest version of a document leads to and the one in force does not.
    static List<Problem> newly(List<Lead> inForce, List<Lead> newest) {
        var before = inForce.stream().map(Lead::to).collect(Collectors.toSet());
        return newest.stream()
                .filter(lead -> !before.contains(lead.to()))
                .map(Lead::problem)
                .distinct()
                .toList();
    }

    /// Hosts of backend policies.
    List<Lead> policies(List<Part> parts) {
        var leads = new ArrayList<Lead>();
        for (var part : parts) {
            if (part instanceof BackendPolicy policy && !names.know(policy.host())) {
                leads.add(host(policy.host(), policy.hostAt()));
            }
        }
        return leads;
    }

    /// Hosts and subsets that routes lead to.
    List<Lead> routes(List<Part> parts) {
        var leads = new ArrayList<Lead>();
        for (var part : parts) {
            if (part instanceof HttpRoutes routes) {
                for (var to : routes.destinations()) {
                    if (!names.know(to.host())) {
                        leads.add(host(to.host(), to.hostAt()));
                    } else if (!mesh.defined(to)) {
                        leads.add(subset(to));
                    }
                }
            }
        }
        return leads;
    }

    private Lead host(String host, Origin at) {
        var near = nearest(host, at.namespace());
        return new Lead(
                host,
                new Problem(
                        Problem.Severity.ERROR,
                        at,
                        "nobody knows " + host + "; "
                                + (near.isEmpty() ? "correct it, or add what it names." : "did you mean " + near + "?")
                                + " This version waits until a Service, ServiceEntry, service account or workload has"
                                + " that name"));
    }

    private Lead subset(Destination to) {
        var defined = mesh.subsets(to.host());
        var near = Nearest.of(to.subset(), defined);
        return new Lead(
                to.host() + "|" + to.subset(),
                new Problem(
                        Problem.Severity.ERROR,
                        to.origin(),
                        "no DestinationRule defines subset " + to.subset() + " of " + to.host()
                                + (near == null ? thereAre(defined) : "; did you mean " + near + "?")
                                + " This version waits until one does"));
    }

    private static String thereAre(List<String> subsets) {
        return subsets.isEmpty() ? "; there is none." : "; there are " + String.join(", ", subsets) + ".";
    }

    /// The nearest name, as an author in a namespace writes it; empty where none is near.
    private String nearest(String host, String namespace) {
        var written =
                names.present().stream().map(name -> shortened(name, namespace)).toList();
        var near = Nearest.of(shortened(host, namespace), written);
        return near == null ? "" : near;
    }

    /// `pay` of the same namespace, `pay.shop` of another; what is outside of the mesh has no shorter name.
    private static String shortened(String host, String namespace) {
        if (!host.endsWith(Mesh.SERVICE_SUFFIX)) {
            return host;
        }
        var name = host.substring(0, host.length() - Mesh.SERVICE_SUFFIX.length());
        return name.endsWith("." + namespace) ? name.substring(0, name.length() - namespace.length() - 1) : name;
    }
}
