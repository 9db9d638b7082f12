package dev.bodyguard.dialect.istio;

import dev.bodyguard.dialect.reading.Fields;
import dev.bodyguard.dialect.reading.Head;
import dev.bodyguard.model.BackendPolicy;
import dev.bodyguard.model.BackendPolicy.Connections;
import dev.bodyguard.model.BackendPolicy.OutlierDetection;
import dev.bodyguard.model.BackendPolicy.RetryBudget;
import dev.bodyguard.model.BackendPolicy.Subset;
import dev.bodyguard.model.BackendPolicy.TlsMode;
import dev.bodyguard.model.BackendPolicy.TrafficPolicy;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.Part;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// DestinationRule: how clients treat the instances of a service.
final class DestinationRules {
    private static final long MOST = 0xffffffffL;
    private static final Duration MILLISECOND = Duration.ofMillis(1);

    private DestinationRules() {}

    static void read(Document document, Fields spec, Head head, List<Part> parts) {
        spec.unsupported("workloadSelector");
        if (spec.texts("exportTo").stream().anyMatch(to -> !to.equals("*"))) {
            spec.warning("exportTo", "is not supported here yet: the rule is in force for clients in every namespace");
        }
        var host = Hosts.required(spec, "host", document.namespace());
        var policy = policy(spec, true);
        var names = new HashSet<String>();
        var subsets = spec.list("subsets", subset -> {
            var name = subset.required("name");
            if (!names.add(name)) {
                subset.error("name", "must be different from every other subset's, was " + name + " again");
            }
            if (name.contains("|")) {
                subset.error("name", "must not contain |, was " + name);
            }
            return new Subset(name, subset.map("labels"), policy(subset, true), subset.origin());
        });
        parts.add(new BackendPolicy(host, policy, subsets, head.created(), document.origin(), spec.origin("host")));
    }

    private static TrafficPolicy policy(Fields fields, boolean withPorts) {
        var policy = fields.<TrafficPolicy>object("trafficPolicy", inner -> settings(inner, withPorts));
        return policy == null ? TrafficPolicy.UNSAID : policy;
    }

    private static TrafficPolicy settings(Fields policy, boolean withPorts) {
        policy.unsupported("tunnel", "proxyProtocol");
        var ports = new HashMap<Integer, TrafficPolicy>();
        if (withPorts) {
            policy.<Boolean>list("portLevelSettings", one -> {
                var number = one.<Integer>object("port", port -> port.number("number", 1, 65535, 0));
                if (number == null || number == 0) {
                    one.missing("port", "is required; add port: {number: …}");
                }
                ports.put(number == null ? 0 : number, settings(one, false));
                return true;
            });
        }
        var balancing = policy.object("loadBalancer", LoadBalancers::read);
        return new TrafficPolicy(
                balancing == null ? null : balancing.balancer(),
                balancing == null ? null : balancing.localities(),
                policy.object("connectionPool", DestinationRules::connections),
                outliers(policy),
                policy.object("retryBudget", DestinationRules::retryBudget),
                policy.object("tls", DestinationRules::tls),
                ports);
    }

    private static Connections connections(Fields pool) {
        var timeout = new HashMap<String, Duration>();
        var limits = new HashMap<String, Long>();
        pool.<Boolean>object("tcp", tcp -> {
            tcp.unsupported("tcpKeepalive", "maxConnectionDuration", "idleTimeout");
            put(timeout, "connect", tcp.duration("connectTimeout", MILLISECOND));
            put(limits, "connections", tcp.number("maxConnections", 0, MOST));
            return true;
        });
        var upgrade = pool.<Boolean>object("http", http -> {
            http.unsupported(
                    "maxRequestsPerConnection",
                    "idleTimeout",
                    "useClientProtocol",
                    "maxConcurrentStreams",
                    "http2KeepAlive");
            if (http.number("maxRetries", 0, MOST) != null) {
                http.warning("maxRetries", "is not supported; retryBudget beside connectionPool limits retries");
            }
            put(limits, "pending", http.number("http1MaxPendingRequests", 0, MOST));
            put(limits, "requests", http.number("http2MaxRequests", 0, MOST));
            return "UPGRADE".equals(http.word("h2UpgradePolicy", "DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"));
        });
        return new Connections(
                timeout.get("connect"),
                limits.get("connections"),
                limits.get("pending"),
                limits.get("requests"),
                Boolean.TRUE.equals(upgrade));
    }

    private static <V> void put(Map<String, V> map, String key, @Nullable V value) {
        if (value != null) {
            map.put(key, value);
        }
    }

    private static @Nullable OutlierDetection outliers(Fields policy) {
        return policy.object("outlierDetection", outliers -> {
            outliers.unsupported("consecutiveErrors", "outlierDetectionHttpErrorCodes");
            return new OutlierDetection(
                    outliers.number("consecutive5xxErrors", 0, MOST),
                    outliers.number("consecutiveGatewayErrors", 0, MOST),
                    outliers.number("consecutiveLocalOriginFailures", 0, MOST),
                    outliers.bool("splitExternalLocalOriginErrors", false),
                    outliers.duration("interval", MILLISECOND),
                    outliers.duration("baseEjectionTime", MILLISECOND),
                    outliers.number("maxEjectionPercent", 0, 100),
                    outliers.number("minHealthPercent", 0, 100));
        });
    }

    private static RetryBudget retryBudget(Fields budget) {
        budget.unsupported("budgetInterval");
        var least = budget.number("minRetryConcurrency", 0, MOST);
        return new RetryBudget(budget.percent("percent", 20), least == null ? 3 : least);
    }

    private static @Nullable TlsMode tls(Fields tls) {
        tls.unsupported(
                "clientCertificate",
                "privateKey",
                "caCertificates",
                "caCrl",
                "credentialName",
                "insecureSkipVerify",
                "sni",
                "subjectAltNames");
        var mode = tls.word("mode", "DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL");
        return switch (mode) {
            case "DISABLE" -> {
                tls.warning(
                        "mode",
                        "DISABLE concerns peers without a sidecar; others are spoken to by mutual TLS, unless their"
                                + " own PeerAuthentication says DISABLE");
                yield TlsMode.DISABLE;
            }
            case "SIMPLE", "MUTUAL" -> {
                tls.error(
                        "mode",
                        mode + " is not supported yet and would go out in plaintext; let the application speak TLS"
                                + " itself and remove this, or write DISABLE or ISTIO_MUTUAL");
                yield null;
            }
            case "ISTIO_MUTUAL" -> TlsMode.ISTIO_MUTUAL;
            case null, default -> null;
        };
    }
}
