package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.Admission;
import dev.bodyguard.proxy.engine.InboundRule;
import dev.bodyguard.proxy.engine.Plan;
import dev.bodyguard.proxy.engine.Refusal;
import dev.bodyguard.proxy.engine.RouteRule;
import dev.bodyguard.proxy.engine.Routing;
import dev.bodyguard.proxy.engine.Verdict;
import dev.bodyguard.proxy.sidecar.AdminServer.Query;
import dev.bodyguard.proxy.sidecar.AdminServer.Reply;
import dev.bodyguard.proxy.wire.Request;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What becomes of a request for the app, without making it: the decisions of [InboundPath], by the same plan. Limits
/// are told as they stand; nothing is counted.
record InboundExplanation(Plan plan, Settings settings) {
    Reply of(Query query) {
        int port = port(query.one("port", settings.appPorts().getFirst() + ""));
        var principal = query.one("principal", "");
        var peer = principal.isEmpty() ? null : principal;
        var path = query.one("path", "/");
        if (!path.startsWith("/") && !path.equals("*")) {
            throw new IllegalArgumentException("the parameter path must begin with a slash, was " + path);
        }
        var request = Described.request(query, query.one("authority", settings.service()), path);
        var tree = new LinkedHashMap<String, @Nullable Object>();
        tree.put("workload", settings.workload());
        tree.put("service", settings.service());
        tree.put("namespace", settings.namespace());
        tree.put("port", port);
        tree.put("principal", peer);
        tree.put("method", request.method());
        var rule = plan.inbound(port);
        if (rule == null) {
            refuse(tree, new Refusal.NoCluster("inbound|" + port + "||", null));
        } else {
            decide(tree, rule, peer, request);
        }
        tree.putIfAbsent("refusal", null);
        return Reply.json(Json.of(tree));
    }

    private static int port(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException _) {
            throw new IllegalArgumentException("the parameter port must be a number, was " + text);
        }
    }

    private static void refuse(Map<String, @Nullable Object> tree, Refusal refusal) {
        tree.put("refusal", Described.refusal(refusal));
    }

    private void decide(Map<String, @Nullable Object> tree, InboundRule rule, @Nullable String peer, Request request) {
        if (!rule.letsIn(peer)) {
            tree.put(
                    "handshake",
                    peer == null
                            ? "only mutual TLS is let in here, and the caller has no certificate"
                            : "only callers whose identity begins with "
                                    + rule.security().peers() + " are let in here, not " + peer);
            return;
        }
        var path = rule.canonical(request.path());
        if (path == null) {
            refuse(tree, new Refusal.OddPath(request.path()));
            return;
        }
        request.path(path);
        tree.put("path", path);
        boolean allowed = authorize(tree, rule, peer, request);
        var limits = rule.limits(peer, request, System.nanoTime());
        tree.put("limits", limits.stream().map(InboundExplanation::limit).toList());
        if (allowed) {
            route(tree, rule, request);
        }
    }

    private static boolean authorize(
            Map<String, @Nullable Object> tree, InboundRule rule, @Nullable String peer, Request request) {
        switch (rule.authorize(peer, request)) {
            case Verdict.Allowed(var by) -> {
                tree.put("authorization", authorization(true, by.isEmpty() ? null : by));
                return true;
            }
            case Verdict.Denied(var by) -> {
                tree.put("authorization", authorization(false, by));
                refuse(tree, InboundPath.denied(peer, request, by, true));
            }
            case Verdict.Unmatched(var among) -> {
                tree.put("authorization", authorization(false, among));
                refuse(tree, InboundPath.denied(peer, request, among, false));
            }
        }
        return false;
    }

    /// @param rule that decides, null where nothing denies it and no policy is about allowing
    private static Map<String, @Nullable Object> authorization(boolean allowed, @Nullable String rule) {
        var tree = new LinkedHashMap<String, @Nullable Object>();
        tree.put("allowed", allowed);
        tree.put("rule", rule);
        return tree;
    }

    private static Map<String, @Nullable Object> limit(Admission.Limit limit) {
        var quota = limit.quota();
        var tree = new LinkedHashMap<String, @Nullable Object>();
        tree.put("rule", limit.rule());
        tree.put("requests", quota.requests());
        tree.put("windowSeconds", quota.window());
        tree.put("atOnce", quota.limit());
        tree.put("remaining", quota.remaining());
        tree.put("status", limit.status());
        return tree;
    }

    private void route(Map<String, @Nullable Object> tree, InboundRule inbound, Request request) {
        switch (inbound.route(request)) {
            case Routing.Routed(var rule) -> {
                switch (rule.action()) {
                    case RouteRule.Forward forward -> forward(tree, rule, forward);
                    case RouteRule.Refuse(var refusal) -> refuse(tree, refusal);
                    case RouteRule.Respond respond -> tree.put("answer", Described.answer(rule, respond));
                    case RouteRule.Redirect redirect -> tree.put("answer", Described.answer(rule, redirect, request));
                }
            }
            case Routing.NoRoute(var host, var origin) ->
                refuse(tree, new Refusal.NoRoute(host, request.method(), request.path(), origin));
            case Routing.NoPort _, Routing.Unknown _, Routing.NotYetKnown _ ->
                refuse(tree, new Refusal.NoRoute("this workload", request.method(), request.path(), null));
        }
    }

    private void forward(Map<String, @Nullable Object> tree, RouteRule rule, RouteRule.Forward forward) {
        var app = new ArrayList<String>();
        for (var share : forward.split().shares()) {
            var cluster = plan.cluster(share.cluster());
            if (cluster == null) {
                refuse(tree, new Refusal.NoCluster(share.cluster(), rule.origin()));
            } else {
                cluster.endpoints().forEach(endpoint -> app.add(endpoint.address()));
            }
        }
        tree.put("app", List.copyOf(app));
    }
}
