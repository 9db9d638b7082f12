package dev.bodyguard.dialect.linkerd;

import dev.bodyguard.dialect.Dialect;
import dev.bodyguard.dialect.Kind;
import dev.bodyguard.dialect.Translation;
import dev.bodyguard.dialect.reading.Fields;
import dev.bodyguard.dialect.reading.Head;
import dev.bodyguard.dialect.reading.Nobody;
import dev.bodyguard.model.AuthorizationPolicy;
import dev.bodyguard.model.AuthorizationPolicy.Attribute;
import dev.bodyguard.model.AuthorizationPolicy.Condition;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.PolicyTarget;
import dev.bodyguard.model.RateLimit;
import dev.bodyguard.model.RateLimit.Quota;
import dev.bodyguard.model.RateLimit.Rule;
import dev.bodyguard.model.Server;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Linkerd's inbound policies, as far as they are spoken: Server, and HTTPLocalRateLimitPolicy on it.
public final class LinkerdPolicy implements Dialect {
    private static final String GROUP = "policy.linkerd.io";
    private static final long MOST = 1_000_000;
    private static final int TOO_MANY_REQUESTS = 429;

    @Override
    public List<Kind> kinds() {
        return List.of(
                new Kind(GROUP, "Server", List.of("v1beta3", "v1beta2", "v1beta1", "v1alpha1")),
                new Kind(GROUP, "HTTPLocalRateLimitPolicy", List.of("v1alpha1")));
    }

    @Override
    public Translation translate(Document document) {
        return Head.translate(document, (root, _, parts) -> {
            if (!root.has("spec")) {
                root.missing("spec", "is required; add it");
            }
            root.<Boolean>object("spec", spec -> {
                if (document.kind().equals("Server")) {
                    server(document, spec, parts);
                } else {
                    limit(document, spec, parts);
                }
                return true;
            });
        });
    }

    /// A Server says who may come in. A limit that is not understood limits nothing: it is not there to keep out.
    @Override
    public List<Part> inPlaceOf(Document document) {
        if (!document.kind().equals("Server")) {
            return List.of();
        }
        return List.of(Nobody.comesIn(document, spec -> {
            spec.elsewhere("accessPolicy", "port", "proxyProtocol");
            return new PolicyTarget.Labelled(document.namespace(), selector(spec), document.origin());
        }));
    }

    // -- Server

    private static void server(Document document, Fields spec, List<Part> parts) {
        // What is spoken there the proxy finds out for itself.
        spec.elsewhere("proxyProtocol");
        var selector = selector(spec);
        int port = port(spec);
        parts.add(new Server(
                document.namespace(), document.name(), selector, spec.origin("podSelector"), port, document.origin()));
        access(document, spec, parts);
    }

    private static Map<String, String> selector(Fields spec) {
        if (spec.has("externalWorkloadSelector")) {
            spec.error("externalWorkloadSelector", "is not supported yet; write podSelector");
        }
        var selector = spec.<Map<String, String>>object("podSelector", pods -> {
            if (pods.has("matchExpressions")) {
                pods.error("matchExpressions", "is not supported yet; write matchLabels");
            }
            return pods.map("matchLabels");
        });
        if (!spec.has("podSelector") && !spec.has("externalWorkloadSelector")) {
            spec.missing(
                    "podSelector", "is required; {} means every workload of the namespace", "externalWorkloadSelector");
        }
        return selector == null ? Map.of() : selector;
    }

    private static int port(Fields spec) {
        if (!spec.has("port")) {
            spec.missing("port", "is required; add it");
        }
        if (spec.isText("port")) {
            spec.warning("port", "a port's name means nothing outside Kubernetes; every port is meant");
            return 0;
        }
        return spec.number("port", 1, 65_535, 0);
    }

    /// A Server says who may come in where nothing else does, and by default nobody.
    private static void access(Document document, Fields spec, List<Part> parts) {
        var policy = spec.word(
                "accessPolicy",
                "deny",
                "audit",
                "all-authenticated",
                "all-unauthenticated",
                "cluster-authenticated",
                "cluster-unauthenticated");
        var refused = switch (policy) {
            case "all-unauthenticated", "cluster-unauthenticated", "audit" -> null;
            case "all-authenticated", "cluster-authenticated" ->
                new AuthorizationPolicy.Rule(
                        List.of(List.of(new Condition(Attribute.PRINCIPAL, "", List.of(), List.of("*")))),
                        List.of(),
                        List.of(),
                        spec.origin("accessPolicy"));
            case null, default -> {
                spec.warning(
                        "accessPolicy",
                        "is deny, and Linkerd's own authorizations are not spoken yet, so nobody is let in; write"
                                + " all-authenticated here and say who may call in an AuthorizationPolicy of"
                                + " security.istio.io");
                yield new AuthorizationPolicy.Rule(List.of(), List.of(), List.of(), spec.origin("accessPolicy"));
            }
        };
        if (refused != null) {
            parts.add(new AuthorizationPolicy(
                    new PolicyTarget.OfServer(document.namespace(), document.name(), document.origin()),
                    AuthorizationPolicy.Action.DENY,
                    List.of(refused),
                    document.origin()));
        }
    }

    // -- HTTPLocalRateLimitPolicy

    private static void limit(Document document, Fields spec, List<Part> parts) {
        var server = spec.<PolicyTarget>object("targetRef", ref -> {
            var group = ref.text("group");
            var kind = ref.required("kind");
            if (ref.has("kind") && !(kind.equals("Server") && (group.equals(GROUP) || !ref.has("group")))) {
                ref.error("kind", "must be Server, of group " + GROUP + ", was " + group + "/" + kind);
            }
            return new PolicyTarget.OfServer(document.namespace(), ref.required("name"), ref.origin("name"));
        });
        if (!spec.has("targetRef")) {
            spec.missing("targetRef", "is required; name a Server");
        }
        List<Rule> rules = new ArrayList<>();
        var total = spec.object("total", LinkerdPolicy::perSecond);
        if (total != null) {
            rules.add(rule(total, false, Map.of(), spec, "total"));
        }
        var identity = spec.object("identity", LinkerdPolicy::perSecond);
        var overrides = new LinkedHashMap<String, Quota>();
        spec.<Boolean>list("overrides", one -> {
            var quota = perSecond(one);
            var clients = one.list("clientRefs", ref -> client(ref, document.namespace()));
            if (clients.isEmpty()) {
                one.missing("clientRefs", "is required; name at least one ServiceAccount");
            }
            if (clients.size() > 1) {
                one.warning("clientRefs", "each of the clients has the limit for itself; Linkerd has them share it");
            }
            if (quota != null) {
                clients.forEach(client -> overrides.putIfAbsent(client, quota));
            }
            return true;
        });
        if (identity != null || !overrides.isEmpty()) {
            rules.add(rule(identity, true, overrides, spec, identity == null ? "overrides" : "identity"));
        }
        if (!spec.has("total") && !spec.has("identity") && !spec.has("overrides")) {
            spec.warning("total", "identity and overrides are all missing, so this limits nothing");
        }
        if (server != null) {
            parts.add(new RateLimit(server, rules, document.origin()));
        }
    }

    private static Rule rule(
            @Nullable Quota quota, boolean each, Map<String, Quota> overrides, Fields spec, String field) {
        return new Rule(Set.of(), null, quota, each, overrides, TOO_MANY_REQUESTS, spec.origin(field));
    }

    private static @Nullable Quota perSecond(Fields fields) {
        var requests = fields.number("requestsPerSecond", 1, MOST);
        if (!fields.has("requestsPerSecond")) {
            fields.missing("requestsPerSecond", "is required; say how many");
        }
        return requests == null ? null : new Quota(requests, Duration.ofSeconds(1), requests);
    }

    private static String client(Fields ref, String namespace) {
        ref.text("group");
        var kind = ref.required("kind");
        if (ref.has("kind") && !kind.equals("ServiceAccount")) {
            ref.error("kind", "must be ServiceAccount, was " + kind);
        }
        var there = ref.text("namespace");
        return (there.isEmpty() ? namespace : there) + "/" + ref.required("name");
    }
}
