package dev.bodyguard.proxy.engine;

import io.envoyproxy.envoy.config.rbac.v3.Permission;
import io.envoyproxy.envoy.config.rbac.v3.Policy;
import io.envoyproxy.envoy.config.rbac.v3.Principal;
import io.envoyproxy.envoy.config.rbac.v3.RBAC;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// One `RBAC` filter, compiled. Whatever it could only guess at is refused when compiling, never passed over.
final class Authorization {
    private static final Verdict.Allowed OPEN = new Verdict.Allowed("");

    private final List<Named> policies;
    private final Verdict unmatched;

    private Authorization(boolean allows, List<Named> policies) {
        this.policies = List.copyOf(policies);
        this.unmatched = allows
                ? new Verdict.Unmatched(policies.stream().map(Named::name).collect(Collectors.joining(", ")))
                : OPEN;
    }

    private record Named(String name, Predicate<Asked> matches, Verdict verdict) {}

    /// Who asks for what.
    private record Asked(@Nullable String peer, int port, RequestHead head) {}

    static @Nullable Authorization compile(RBAC rules, String field) throws Invalid {
        boolean allows = switch (rules.getAction()) {
            case ALLOW -> true;
            case DENY -> false;
            case LOG -> true;
            case UNRECOGNIZED ->
                throw new Invalid(field + ".action", "must be ALLOW, DENY or LOG, was " + rules.getActionValue());
        };
        if (rules.getAction() == RBAC.Action.LOG) {
            return null;
        }
        var policies = new ArrayList<Named>();
        for (var entry : new TreeMap<>(rules.getPoliciesMap()).entrySet()) {
            String at = field + ".policies[" + entry.getKey() + "]";
            String name = entry.getKey();
            policies.add(new Named(
                    name, policy(entry.getValue(), at), allows ? new Verdict.Allowed(name) : new Verdict.Denied(name)));
        }
        return new Authorization(allows, policies);
    }

    Verdict decide(@Nullable String peer, int port, RequestHead head) {
        var asked = new Asked(peer, port, head);
        for (int i = 0; i < policies.size(); i++) {
            Named policy = policies.get(i);
            if (policy.matches.test(asked)) {
                return policy.verdict;
            }
        }
        return unmatched;
    }

    private static Predicate<Asked> policy(Policy policy, String field) throws Invalid {
        Matching.unsupported(policy.hasCondition() || policy.hasCheckedCondition(), field + ".condition");
        Predicate<Asked> who = _ -> false;
        for (int i = 0; i < policy.getPrincipalsCount(); i++) {
            who = who.or(principal(policy.getPrincipals(i), field + ".principals[" + i + "]"));
        }
        Predicate<Asked> what = _ -> false;
        for (int i = 0; i < policy.getPermissionsCount(); i++) {
            what = what.or(permission(policy.getPermissions(i), field + ".permissions[" + i + "]"));
        }
        return who.and(what);
    }

    private static Predicate<Asked> principal(Principal principal, String field) throws Invalid {
        return switch (principal.getIdentifierCase()) {
            case ANY -> _ -> principal.getAny();
            case AND_IDS -> {
                Predicate<Asked> all = _ -> true;
                for (Principal each : principal.getAndIds().getIdsList()) {
                    all = all.and(principal(each, field + ".and_ids"));
                }
                yield all;
            }
            case OR_IDS -> {
                Predicate<Asked> any = _ -> false;
                for (Principal each : principal.getOrIds().getIdsList()) {
                    any = any.or(principal(each, field + ".or_ids"));
                }
                yield any;
            }
            case NOT_ID -> principal(principal.getNotId(), field + ".not_id").negate();
            case AUTHENTICATED -> {
                if (!principal.getAuthenticated().hasPrincipalName()) {
                    yield asked -> asked.peer != null;
                }
                Predicate<CharSequence> name = Texts.compile(
                        principal.getAuthenticated().getPrincipalName(), field + ".authenticated.principal_name");
                yield asked -> asked.peer != null && name.test(asked.peer);
            }
            case HEADER -> {
                Predicate<RequestHead> header = Matching.header(principal.getHeader(), field + ".header");
                yield asked -> header.test(asked.head);
            }
            case URL_PATH -> {
                Predicate<RequestHead> path = Matching.path(principal.getUrlPath(), field + ".url_path");
                yield asked -> path.test(asked.head);
            }
            case SOURCE_IP,
                    DIRECT_REMOTE_IP,
                    REMOTE_IP,
                    METADATA,
                    FILTER_STATE,
                    SOURCED_METADATA,
                    CUSTOM,
                    IDENTIFIER_NOT_SET ->
                throw new Invalid(field, "principal is not supported: " + principal.getIdentifierCase());
        };
    }

    private static Predicate<Asked> permission(Permission permission, String field) throws Invalid {
        return switch (permission.getRuleCase()) {
            case ANY -> _ -> permission.getAny();
            case AND_RULES -> {
                Predicate<Asked> all = _ -> true;
                for (Permission each : permission.getAndRules().getRulesList()) {
                    all = all.and(permission(each, field + ".and_rules"));
                }
                yield all;
            }
            case OR_RULES -> {
                Predicate<Asked> any = _ -> false;
                for (Permission each : permission.getOrRules().getRulesList()) {
                    any = any.or(permission(each, field + ".or_rules"));
                }
                yield any;
            }
            case NOT_RULE ->
                permission(permission.getNotRule(), field + ".not_rule").negate();
            case HEADER -> {
                Predicate<RequestHead> header = Matching.header(permission.getHeader(), field + ".header");
                yield asked -> header.test(asked.head);
            }
            case URL_PATH -> {
                Predicate<RequestHead> path = Matching.path(permission.getUrlPath(), field + ".url_path");
                yield asked -> path.test(asked.head);
            }
            case DESTINATION_PORT -> {
                int port = permission.getDestinationPort();
                yield asked -> asked.port == port;
            }
            case DESTINATION_PORT_RANGE -> {
                int from = permission.getDestinationPortRange().getStart();
                int to = permission.getDestinationPortRange().getEnd();
                yield asked -> asked.port >= from && asked.port < to;
            }
            case DESTINATION_IP,
                    METADATA,
                    REQUESTED_SERVER_NAME,
                    MATCHER,
                    URI_TEMPLATE,
                    SOURCED_METADATA,
                    RULE_NOT_SET ->
                throw new Invalid(field, "permission is not supported: " + permission.getRuleCase());
        };
    }
}
