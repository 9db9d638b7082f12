package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.proxy.engine.ClusterPlan;
import dev.bodyguard.proxy.engine.Endpoint;
import dev.bodyguard.proxy.engine.Refusal;
import dev.bodyguard.proxy.engine.RetryOn;
import dev.bodyguard.proxy.engine.RetryPolicy;
import dev.bodyguard.proxy.engine.RouteRule;
import dev.bodyguard.proxy.engine.Routing;
import dev.bodyguard.proxy.engine.Transport;
import dev.bodyguard.proxy.sidecar.AdminServer.Query;
import dev.bodyguard.proxy.sidecar.AdminServer.Reply;
import dev.bodyguard.proxy.wire.Request;
import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// What becomes of a request of the app's, without making it: the decisions of [OutboundPath], by the same plan. A host
/// that is not known yet is asked for, as a first request would.
record OutboundExplanation(Generation now, Hosts hosts, Settings settings, SpiffeId id) {
    private static final int HTTP = 80;

    Reply of(Query query) {
        var request = asked(query);
        var to = Authority.parse(request.authority(), HTTP);
        if (to == null) {
            throw new IllegalArgumentException(
                    "the parameter url names no host that could be read: '" + request.authority() + "'");
        }
        var key = to.key();
        hosts.use(key);
        var tree = new LinkedHashMap<String, @Nullable Object>();
        tree.put("workload", settings.workload());
        tree.put("service", settings.service());
        tree.put("namespace", settings.namespace());
        tree.put("principal", id.toString());
        tree.put("method", request.method());
        tree.put("host", key);
        decide(tree, request, to, key);
        return Reply.json(Json.of(tree));
    }

    private static Request asked(Query query) {
        var uri = URI.create(query.one("url"));
        var authority = uri.getRawAuthority();
        if (!"http".equalsIgnoreCase(uri.getScheme()) || authority == null || authority.indexOf('@') >= 0) {
            throw new IllegalArgumentException("the parameter url must be http://HOST[:PORT]/PATH, was " + uri
                    + " (the mesh does not look into what an app encrypts itself)");
        }
        var path = uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
        return Described.request(query, authority, uri.getRawQuery() == null ? path : path + "?" + uri.getRawQuery());
    }

    private void decide(Map<String, @Nullable Object> tree, Request request, Authority to, String key) {
        switch (now.plan().outbound(key, request)) {
            case Routing.Routed(var rule) -> follow(tree, request, rule);
            case Routing.NoRoute(var host, var origin) ->
                refuse(tree, new Refusal.NoRoute(host, request.method(), request.path(), origin));
            case Routing.NoPort(var host, var ports, var origin) ->
                refuse(tree, new Refusal.NoPort(host, ports, origin));
            case Routing.Unknown(var fallback) -> fallBack(tree, to, fallback);
            case Routing.NotYetKnown() -> {
                tree.put("known", "not known yet, asked now");
                var refusal = now.unanswered(to);
                if (refusal != null) {
                    refuse(tree, refusal);
                } else {
                    fallBack(tree, to, now.plan().fallback());
                }
            }
        }
        tree.putIfAbsent("known", "yes");
    }

    private static void refuse(Map<String, @Nullable Object> tree, Refusal refusal) {
        tree.put("decision", "refuse");
        tree.put("refusal", Described.refusal(refusal));
    }

    private static void fallBack(Map<String, @Nullable Object> tree, Authority to, Routing.Fallback fallback) {
        tree.putIfAbsent("known", "no");
        switch (fallback) {
            case Routing.Fallback.Block(int status, var sentence) ->
                refuse(tree, new Refusal.Blocked(status, sentence, null));
            case Routing.Fallback.PassThrough(var cluster) -> {
                tree.put("decision", "passThrough");
                tree.put("address", to.toString());
                tree.put("cluster", cluster);
            }
        }
    }

    private void follow(Map<String, @Nullable Object> tree, Request request, RouteRule rule) {
        var fault = rule.fault();
        if (fault != null) {
            tree.put("fault", fault(fault));
        }
        switch (rule.action()) {
            case RouteRule.Refuse(var refusal) -> refuse(tree, refusal);
            case RouteRule.Respond respond -> {
                tree.put("decision", "respond");
                tree.put("answer", Described.answer(rule, respond));
            }
            case RouteRule.Redirect redirect -> {
                tree.put("decision", "respond");
                tree.put("answer", Described.answer(rule, redirect, request));
            }
            case RouteRule.Forward forward -> {
                tree.put("decision", "forward");
                tree.put("route", route(rule, forward));
                var split = new ArrayList<Object>();
                for (var share : forward.split().shares()) {
                    split.add(share(request, rule, forward, share));
                }
                tree.put("split", split);
            }
        }
    }

    private static Map<String, @Nullable Object> fault(RouteRule.Fault fault) {
        var tree = new LinkedHashMap<String, @Nullable Object>();
        tree.put("delayMillis", fault.delay().toMillis());
        tree.put("delayPercent", fault.delayPercent());
        tree.put("abortStatus", fault.abortStatus());
        tree.put("abortPercent", fault.abortPercent());
        return tree;
    }

    private static Map<String, @Nullable Object> route(RouteRule rule, RouteRule.Forward forward) {
        var tree = new LinkedHashMap<String, @Nullable Object>();
        tree.put("name", rule.name());
        tree.put("rule", rule.origin());
        tree.put("timeoutMillis", forward.timeout().toMillis());
        tree.put("retries", retries(forward.retries()));
        return tree;
    }

    private static Map<String, @Nullable Object> retries(RetryPolicy retries) {
        var tree = new LinkedHashMap<String, @Nullable Object>();
        tree.put("most", retries.retriesAtAll() ? retries.retries() : 0);
        tree.put("on", retries.on().stream().sorted().map(RetryOn::word).toList());
        tree.put("statuses", new TreeSet<>(retries.statuses()));
        tree.put("perTryMillis", retries.perTryTimeout().toMillis());
        return tree;
    }

    private Map<String, @Nullable Object> share(
            Request request, RouteRule rule, RouteRule.Forward forward, RouteRule.Share share) {
        var tree = new LinkedHashMap<String, @Nullable Object>();
        tree.put("cluster", share.cluster());
        tree.put("weight", share.weight());
        var sent = request.copy();
        Headers.change(sent.fields(), rule.request());
        Headers.change(sent.fields(), share.request());
        sent.path(forward.rewrite().path(request.path()));
        var host = forward.rewrite().host();
        if (host != null) {
            sent.authority(host);
        }
        tree.put("sent", sent(sent));
        var cluster = now.plan().cluster(share.cluster());
        tree.put("policy", cluster == null ? null : cluster.origin());
        if (cluster != null) {
            tree.put("service", cluster.service().host());
            tree.put("connectMillis", cluster.connectTimeout().toMillis());
            tree.put("retriesAllowed", cluster.budget().limit());
            var available = Set.copyOf(cluster.available());
            tree.put("panic", cluster.panics());
            tree.put(
                    "endpoints",
                    cluster.endpoints().stream()
                            .map(endpoint -> endpoint(cluster, endpoint, available.contains(endpoint)))
                            .toList());
            if (cluster.discovery() == ClusterPlan.Discovery.ORIGINAL_DESTINATION) {
                tree.put("passThrough", sent.authority());
            }
        }
        var refusal = refusal(share.cluster(), cluster, rule);
        tree.put("refusal", refusal == null ? null : Described.refusal(refusal));
        return tree;
    }

    private static Map<String, @Nullable Object> sent(Request sent) {
        var headers = new ArrayList<String>();
        sent.fields().forEach((name, value) -> headers.add(name + ":" + value));
        var tree = new LinkedHashMap<String, @Nullable Object>();
        tree.put("authority", sent.authority());
        tree.put("path", sent.path());
        tree.put("headers", headers);
        return tree;
    }

    /// Why nobody of a cluster could take the request now, null where somebody can.
    private static @Nullable Refusal refusal(String name, @Nullable ClusterPlan cluster, RouteRule rule) {
        if (cluster == null) {
            return new Refusal.NoCluster(name, rule.origin());
        }
        if (cluster.budget().active() >= cluster.limits().requests()) {
            return new Refusal.Overflow(name, cluster.limits().requests() + " requests under way", cluster.origin());
        }
        boolean ready = cluster.discovery() == ClusterPlan.Discovery.ORIGINAL_DESTINATION
                || !cluster.available().isEmpty();
        return ready ? null : new Refusal.NoHealthyEndpoint(cluster, rule.origin());
    }

    private static Map<String, @Nullable Object> endpoint(ClusterPlan cluster, Endpoint endpoint, boolean available) {
        var tree = new LinkedHashMap<String, @Nullable Object>();
        tree.put("address", endpoint.address());
        tree.put("workload", endpoint.workload().name());
        tree.put("namespace", endpoint.workload().namespace());
        tree.put("version", endpoint.workload().version());
        tree.put("healthy", endpoint.healthy());
        tree.put("available", available);
        var ejection = endpoint.ejection();
        tree.put("ejected", ejection == null ? null : Ejected.sentence(ejection));
        double share = cluster.share(endpoint);
        if (share < 1) {
            tree.put("warming", "new, so that it counts for " + Math.round(share * 100) + " % of its weight");
        }
        switch (endpoint.transport()) {
            case Transport.Mtls mtls -> {
                tree.put("transport", "mtls");
                tree.put("accepted", List.copyOf(new TreeSet<>(mtls.accepted())));
            }
            case Transport.Plaintext(boolean http2) -> tree.put("transport", http2 ? "h2c" : "http/1.1");
        }
        return tree;
    }
}
