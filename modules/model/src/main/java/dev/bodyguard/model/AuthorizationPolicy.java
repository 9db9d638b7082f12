package dev.bodyguard.model;

import java.util.List;
import java.util.Objects;

/// Who may ask some workloads for what. Denials are asked first; then, where any policy that allows is about a
/// workload,
/// one of these has to allow the request.
///
/// @param rules any of them suffices; a policy without rules never matches, so that one that allows allows nobody
public record AuthorizationPolicy(PolicyTarget target, Action action, List<Rule> rules, Origin origin) implements Part {
    public AuthorizationPolicy {
        Objects.requireNonNull(action);
        rules = List.copyOf(rules);
    }

    /// What a matching rule means.
    public enum Action {
        ALLOW,
        DENY
    }

    /// Matches where one of `from`, one of `to` and all of `when` do; what is empty asks nothing.
    ///
    /// @param from each a list of conditions on who asks, all of which must hold
    /// @param to each a list of conditions on what is asked for, all of which must hold
    public record Rule(List<List<Condition>> from, List<List<Condition>> to, List<Condition> when, Origin origin) {
        public Rule {
            from = from.stream().map(List::copyOf).toList();
            to = to.stream().map(List::copyOf).toList();
            when = List.copyOf(when);
        }
    }

    /// The attribute is one of `values`, where there are any, and none of `notValues`.
    ///
    /// A value may begin or end with `*`, which stands for anything; alone it asks that the attribute is there.
    ///
    /// @param name of the header, empty for other attributes
    public record Condition(Attribute attribute, String name, List<String> values, List<String> notValues) {
        public Condition {
            values = List.copyOf(values);
            notValues = List.copyOf(notValues);
        }
    }

    /// What a condition is about.
    public enum Attribute {
        /// The caller's SPIFFE id without its scheme.
        PRINCIPAL,
        /// The namespace in the caller's identity.
        NAMESPACE,
        /// The caller's service account, `namespace/name`.
        SERVICE_ACCOUNT,
        /// A request header.
        HEADER,
        /// The host that the caller wrote, with or without port.
        HOST,
        /// The application's port.
        PORT,
        METHOD,
        /// The normalised path without its query; `{*}` stands for a segment, `{**}` for any number of them.
        PATH;

        /// Whether it tells who asks, rather than for what.
        public boolean ofCaller() {
            return switch (this) {
                case PRINCIPAL, NAMESPACE, SERVICE_ACCOUNT, HEADER -> true;
                case HOST, PORT, METHOD, PATH -> false;
            };
        }
    }
}
