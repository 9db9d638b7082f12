package dev.bodyguard.xds.compile;

import dev.bodyguard.model.AuthorizationPolicy;
import dev.bodyguard.model.AuthorizationPolicy.Action;
import dev.bodyguard.model.AuthorizationPolicy.Condition;
import dev.bodyguard.model.AuthorizationPolicy.Rule;
import io.envoyproxy.envoy.config.rbac.v3.Permission;
import io.envoyproxy.envoy.config.rbac.v3.Policy;
import io.envoyproxy.envoy.config.rbac.v3.Principal;
import io.envoyproxy.envoy.config.rbac.v3.RBAC;
import io.envoyproxy.envoy.config.route.v3.HeaderMatcher;
import io.envoyproxy.envoy.type.matcher.v3.PathMatcher;
import io.envoyproxy.envoy.type.matcher.v3.RegexMatcher;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Authorization policies as RBAC: one set of rules that deny, one that allow. A rule's name there is its origin, which
/// so reaches every proxy's log.
final class Authorizations {
    private final Settings settings;

    Authorizations(Settings settings) {
        this.settings = settings;
    }

    /// The rules of one action; none where no policy has it.
    ///
    /// @param called the port by which requests come
    /// @param meant the application's port that they come to: conditions on it hold for both
    Optional<RBAC> rules(List<AuthorizationPolicy> policies, Action action, int called, int meant) {
        var ports = new Ports(called, meant);
        var rules = RBAC.newBuilder()
                .setAction(
                        switch (action) {
                            case ALLOW -> RBAC.Action.ALLOW;
                            case DENY -> RBAC.Action.DENY;
                        });
        var some = policies.stream().filter(policy -> policy.action() == action).toList();
        for (var policy : some) {
            for (var rule : policy.rules()) {
                rules.putPolicies(rule.origin().toString(), policy(rule, ports));
            }
            if (policy.rules().isEmpty() && action == Action.ALLOW) {
                rules.putPolicies(policy.origin().toString(), NOBODY);
            }
        }
        return some.isEmpty() ? Optional.empty() : Optional.of(rules.build());
    }

    private static final Permission ANYTHING =
            Permission.newBuilder().setAny(true).build();
    private static final Principal ANYBODY = Principal.newBuilder().setAny(true).build();
    private static final Policy NOBODY = Policy.newBuilder()
            .addPermissions(Permission.newBuilder().setNotRule(ANYTHING))
            .addPrincipals(Principal.newBuilder().setNotId(ANYBODY))
            .build();

    private record Ports(int called, int meant) {
        /// The ports of which a condition on one is true.
        Set<Integer> alike(int port) {
            return port == meant ? new LinkedHashSet<>(List.of(port, called)) : Set.of(port);
        }
    }

    private Policy policy(Rule rule, Ports ports) {
        var policy = Policy.newBuilder();
        for (var from : rule.from().isEmpty() ? List.<List<Condition>>of(List.of()) : rule.from()) {
            var all = new ArrayList<Principal>();
            both(from, rule.when()).stream()
                    .filter(one -> one.attribute().ofCaller())
                    .forEach(one -> principals(one, all));
            policy.addPrincipals(
                    all.isEmpty()
                            ? ANYBODY
                            : Principal.newBuilder()
                                    .setAndIds(Principal.Set.newBuilder().addAllIds(all))
                                    .build());
        }
        for (var to : rule.to().isEmpty() ? List.<List<Condition>>of(List.of()) : rule.to()) {
            var all = new ArrayList<Permission>();
            both(to, rule.when()).stream()
                    .filter(one -> !one.attribute().ofCaller())
                    .forEach(one -> permissions(one, ports, all));
            policy.addPermissions(
                    all.isEmpty()
                            ? ANYTHING
                            : Permission.newBuilder()
                                    .setAndRules(Permission.Set.newBuilder().addAllRules(all))
                                    .build());
        }
        return policy.build();
    }

    private static List<Condition> both(List<Condition> some, List<Condition> more) {
        var all = new ArrayList<>(some);
        all.addAll(more);
        return all;
    }

    // -- who

    private void principals(Condition condition, List<Principal> all) {
        if (!condition.values().isEmpty()) {
            all.add(anyPrincipal(condition, condition.values()));
        }
        if (!condition.notValues().isEmpty()) {
            all.add(Principal.newBuilder()
                    .setNotId(anyPrincipal(condition, condition.notValues()))
                    .build());
        }
    }

    private Principal anyPrincipal(Condition condition, List<String> values) {
        var any = Principal.Set.newBuilder();
        for (var value : values) {
            any.addIds(
                    switch (condition.attribute()) {
                        case HEADER ->
                            Principal.newBuilder()
                                    .setHeader(header(condition.name(), value, text(value, false)))
                                    .build();
                        case PRINCIPAL -> identity(principal(value));
                        case NAMESPACE -> identity(regex("spiffe://[^/]+/ns/" + like(value, "[^/]*") + "/.*"));
                        case SERVICE_ACCOUNT -> identity(exact(Wire.identity(settings.trustDomain(), value)));
                        case HOST, PORT, METHOD, PATH ->
                            throw new IllegalArgumentException("not of the caller: " + condition);
                    });
        }
        return Principal.newBuilder().setOrIds(any).build();
    }

    private static Principal identity(StringMatcher name) {
        return Principal.newBuilder()
                .setAuthenticated(Principal.Authenticated.newBuilder().setPrincipalName(name))
                .build();
    }

    private static StringMatcher principal(String value) {
        if (value.equals("*")) {
            return regex(".+");
        }
        return value.startsWith("*") ? text(value, false) : text("spiffe://" + value, false);
    }

    // -- what

    private static void permissions(Condition condition, Ports ports, List<Permission> all) {
        if (!condition.values().isEmpty()) {
            all.add(anyPermission(condition, ports, condition.values()));
        }
        if (!condition.notValues().isEmpty()) {
            all.add(Permission.newBuilder()
                    .setNotRule(anyPermission(condition, ports, condition.notValues()))
                    .build());
        }
    }

    private static Permission anyPermission(Condition condition, Ports ports, List<String> values) {
        var any = Permission.Set.newBuilder();
        for (var value : values) {
            switch (condition.attribute()) {
                case METHOD ->
                    any.addRules(Permission.newBuilder().setHeader(header(":method", value, text(value, false))));
                case HOST ->
                    hosts(value)
                            .forEach(host ->
                                    any.addRules(Permission.newBuilder().setHeader(header(":authority", value, host))));
                case PORT ->
                    ports.alike(Integer.parseInt(value))
                            .forEach(
                                    port -> any.addRules(Permission.newBuilder().setDestinationPort(port)));
                case PATH ->
                    any.addRules(Permission.newBuilder()
                            .setUrlPath(PathMatcher.newBuilder().setPath(path(value))));
                case PRINCIPAL, NAMESPACE, SERVICE_ACCOUNT, HEADER ->
                    throw new IllegalArgumentException("of the caller: " + condition);
            }
        }
        return Permission.newBuilder().setOrRules(any).build();
    }

    /// A host is meant with any port too, so that writing one gets around nothing.
    private static List<StringMatcher> hosts(String value) {
        if (value.endsWith("*") || value.matches(".*:[0-9]+")) {
            return List.of(text(value, true));
        }
        if (value.startsWith("*")) {
            return List.of(text(value, true), regex("(?i)" + like(value, ".*") + ":[0-9]+"));
        }
        return List.of(text(value, true), text(value + ":*", true));
    }

    /// A star that is escaped stands for itself.
    private static StringMatcher path(String value) {
        if (!value.contains("{")) {
            return value.equals("*") ? regex(".+") : starsUnescaped(text(value, false));
        }
        var regex = new StringBuilder();
        int from = 0;
        while (from < value.length()) {
            if (value.startsWith("{**}", from)) {
                regex.append(".*");
                from += 4;
            } else if (value.startsWith("{*}", from)) {
                regex.append("[^/]+");
                from += 3;
            } else {
                int next = value.indexOf('{', from);
                int to = next < 0 ? value.length() : next;
                regex.append(Wire.quoted(unescaped(value.substring(from, to))));
                from = to;
            }
        }
        return regex(regex.toString());
    }

    private static StringMatcher starsUnescaped(StringMatcher path) {
        var text = path.toBuilder();
        return switch (path.getMatchPatternCase()) {
            case EXACT -> text.setExact(unescaped(path.getExact())).build();
            case PREFIX -> text.setPrefix(unescaped(path.getPrefix())).build();
            case SUFFIX -> text.setSuffix(unescaped(path.getSuffix())).build();
            case CONTAINS, SAFE_REGEX, CUSTOM, MATCHPATTERN_NOT_SET -> path;
        };
    }

    private static String unescaped(String literal) {
        return literal.replace("%2A", "*");
    }

    // -- texts that may begin or end with *

    private static HeaderMatcher header(String name, String value, StringMatcher matcher) {
        var header = HeaderMatcher.newBuilder().setName(name);
        return value.equals("*")
                ? header.setPresentMatch(true).build()
                : header.setStringMatch(matcher).build();
    }

    private static StringMatcher text(String value, boolean ignoreCase) {
        var matcher = StringMatcher.newBuilder().setIgnoreCase(ignoreCase);
        if (value.equals("*")) {
            return regex(".*");
        }
        if (value.startsWith("*")) {
            return matcher.setSuffix(value.substring(1)).build();
        }
        return value.endsWith("*")
                ? matcher.setPrefix(value.substring(0, value.length() - 1)).build()
                : matcher.setExact(value).build();
    }

    private static String like(String value, String anything) {
        if (value.equals("*")) {
            return anything;
        }
        if (value.startsWith("*")) {
            return anything + Wire.quoted(value.substring(1));
        }
        return value.endsWith("*")
                ? Wire.quoted(value.substring(0, value.length() - 1)) + anything
                : Wire.quoted(value);
    }

    private static StringMatcher exact(String value) {
        return StringMatcher.newBuilder().setExact(value).build();
    }

    private static StringMatcher regex(String expression) {
        return StringMatcher.newBuilder()
                .setSafeRegex(RegexMatcher.newBuilder().setRegex(expression))
                .build();
    }
}
