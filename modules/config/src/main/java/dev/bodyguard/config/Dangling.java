package dev.bodyguard.config;

import dev.bodyguard.config.Lead.To;
import dev.bodyguard.dialect.Nearest;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.Problem;
import java.util.List;
import java.util.stream.Collectors;

/// What leads to what nobody has: hosts without an owner, subsets without a definition, ports that
/// a host has not. Pure.
///
/// @param names who has, or had, a name
record Dangling(Mesh mesh, Names names) {
    /// Whether nobody has it. Of a host that nobody knows this is said of the host alone.
    boolean nobodyHas(To to) {
        return switch (to) {
            case Lead.Host(var host) -> !names.know(host);
            case Lead.Subset(var host, var subset) -> names.know(host) && !mesh.defined(host, subset);
            case Lead.Port(var host, int number) -> names.know(host) && !mesh.reaches(host, number);
        };
    }

    /// What the newest version of a document leads to and the one in force does not, where nobody has it.
    List<Problem> newly(List<Lead> inForce, List<Lead> newest) {
        var before = inForce.stream().map(Lead::to).collect(Collectors.toSet());
        return newest.stream()
                .filter(lead -> !before.contains(lead.to()) && nobodyHas(lead.to()))
                .map(this::nowhere)
                .distinct()
                .toList();
    }

    /// What rules are newly about that nobody has, where they no longer are about what somebody has: a name that they
    /// are about besides may be one of their own.
    List<Problem> turned(List<Lead> inForce, List<Lead> newest) {
        var now = newest.stream().map(Lead::to).collect(Collectors.toSet());
        var left = inForce.stream()
                .filter(lead -> !now.contains(lead.to()) && !nobodyHas(lead.to()))
                .map(lead -> lead.to().host())
                .toList();
        if (left.isEmpty()) {
            return List.of();
        }
        var ofMesh = newest.stream()
                .filter(lead -> names.isOfMesh(lead.to().host(), left))
                .toList();
        return newly(inForce, ofMesh);
    }

    private Problem nowhere(Lead lead) {
        return error(
                lead.at(),
                switch (lead.to()) {
                    case Lead.Host(var host) -> nobody(host, lead.at());
                    case Lead.Subset(var host, var subset) -> undefined(host, subset);
                    case Lead.Port(var host, int number) ->
                        host + " has no port " + number + ", only " + mesh.ports(host)
                                + ". This version waits until it has one";
                });
    }

    private String nobody(String host, Origin at) {
        var near = names.nearest(host, at.namespace());
        return "nobody knows " + host + "; "
                + (near.isEmpty() ? "correct it, or add what it names." : "did you mean " + near + "?")
                + " This version waits until a Service, ServiceEntry, service account or workload has that name";
    }

    private String undefined(String host, String subset) {
        var defined = mesh.subsets(host);
        var near = Nearest.of(subset, defined);
        return "no DestinationRule defines subset " + subset + " of " + host
                + (near == null
                        ? "; there " + (defined.isEmpty() ? "is none." : "are " + String.join(", ", defined) + ".")
                        : "; did you mean " + near + "?")
                + " This version waits until one does";
    }

    private static Problem error(Origin at, String message) {
        return new Problem(Problem.Severity.ERROR, at, message);
    }
}
