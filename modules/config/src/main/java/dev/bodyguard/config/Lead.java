package dev.bodyguard.config;

import dev.bodyguard.model.AuthorizationPolicy;
import dev.bodyguard.model.BackendPolicy;
import dev.bodyguard.model.HttpRoutes;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.PolicyTarget;
import dev.bodyguard.model.RateLimit;
import dev.bodyguard.model.Service;
import dev.bodyguard.model.ServiceAccount;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/// A place in a document that leads to what another document, or a workload, gives.
///
/// @param at where it is written
record Lead(To to, Origin at) {
    /// What is led to; places are compared by it.
    sealed interface To {
        /// The full name, or a wildcard.
        String host();
    }

    /// What a document gives, and does not take away while routes lead to it.
    sealed interface Given extends To {
        /// Whether a document of these parts gives it.
        boolean by(List<Part> parts);
    }

    /// Whoever has a name.
    record Host(String host) implements Given {
        @Override
        public boolean by(List<Part> parts) {
            return parts.stream()
                    .anyMatch(part -> (part instanceof Service service && covers(service.host(), host))
                            || (part instanceof ServiceAccount account
                                    && Service.host(account.name(), account.namespace())
                                            .equals(host)));
        }
    }

    /// A port of whoever has a name. That a document drops one is a fact, which the route's author is told.
    record Port(String host, int number) implements To {}

    /// Some of the instances behind a name.
    record Subset(String host, String subset) implements Given {
        @Override
        public boolean by(List<Part> parts) {
            return parts.stream()
                    .anyMatch(part -> part instanceof BackendPolicy policy
                            && covers(policy.host(), host)
                            && policy.subset(subset).isPresent());
        }
    }

    /// Whether a name, or a wildcard, is or includes another.
    static boolean covers(String host, String other) {
        return host.equals(other) || (host.startsWith("*") && other.endsWith(host.substring(1)));
    }

    /// Those of backend policies: the hosts that they are about.
    static List<Lead> ofPolicies(List<? extends Part> parts) {
        var leads = new ArrayList<Lead>();
        for (var part : parts) {
            if (part instanceof BackendPolicy policy) {
                leads.add(new Lead(new Host(policy.host()), policy.hostAt()));
            }
        }
        return leads;
    }

    /// The hosts that rules are about. Those that are no names of the mesh need nobody here.
    static List<Lead> ofSubjects(List<? extends Part> parts) {
        var leads = new ArrayList<Lead>();
        for (var part : parts) {
            if (part instanceof HttpRoutes routes) {
                routes.hosts().forEach(host -> leads.add(new Lead(new Host(host), routes.hostAt(host))));
            }
        }
        return leads;
    }

    /// Those of policies' `targetRefs`: the services whose workloads they are about.
    static List<Lead> ofTargets(Collection<? extends Part> parts) {
        var leads = new ArrayList<Lead>();
        for (var part : parts) {
            var target = part instanceof AuthorizationPolicy policy
                    ? policy.target()
                    : part instanceof RateLimit limit ? limit.target() : null;
            if (target instanceof PolicyTarget.Services(var namespace, var names)) {
                names.forEach((name, at) -> leads.add(new Lead(new Host(Service.host(name, namespace)), at)));
            }
        }
        return leads;
    }

    /// Those of routes: the hosts that requests are sent to, their subsets and ports.
    static List<Lead> ofRoutes(List<? extends Part> parts) {
        var leads = new ArrayList<Lead>();
        for (var part : parts) {
            if (part instanceof HttpRoutes routes) {
                for (var to : routes.destinations()) {
                    leads.add(new Lead(new Host(to.host()), to.hostAt()));
                    if (!to.subset().isEmpty()) {
                        leads.add(new Lead(new Subset(to.host(), to.subset()), to.origin()));
                    }
                    if (to.port() != 0) {
                        leads.add(new Lead(new Port(to.host(), to.port()), to.portPlace()));
                    }
                }
            }
        }
        return leads;
    }
}
