package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.Refusal;
import dev.bodyguard.proxy.engine.RouteRule;
import dev.bodyguard.proxy.engine.RouteRule.Redirect;
import dev.bodyguard.proxy.engine.RouteRule.Respond;
import dev.bodyguard.proxy.sidecar.AdminServer.Query;
import dev.bodyguard.proxy.wire.Fields;
import dev.bodyguard.proxy.wire.Request;
import dev.bodyguard.proxy.wire.Version;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A request that nobody makes, and what becomes of it, as trees for [Json].
final class Described {
    private Described() {}

    /// @throws IllegalArgumentException where a header is none
    static Request request(Query query, String authority, String path) {
        var fields = new Fields();
        for (var header : query.all("header")) {
            int colon = header.indexOf(':');
            if (colon < 1) {
                throw new IllegalArgumentException("a header must be name:value, was " + header);
            }
            fields.add(
                    header.substring(0, colon).strip().toLowerCase(Locale.ROOT),
                    header.substring(colon + 1).strip());
        }
        // As from an app, which does not speak for a sidecar.
        PeerFacts.strip(fields);
        return new Request(Version.HTTP_1_1, query.one("method", "GET"), "http", authority, path, fields);
    }

    static Map<String, @Nullable Object> refusal(Refusal refusal) {
        var tree = new LinkedHashMap<String, @Nullable Object>();
        tree.put("status", refusal.status());
        tree.put("flag", refusal.flag());
        tree.put("sentence", refusal.sentence());
        tree.put("rule", refusal.origin());
        return tree;
    }

    /// What a rule answers by itself.
    static Map<String, @Nullable Object> answer(RouteRule rule, Respond respond) {
        return answer(respond.status(), respond.body(), "", rule);
    }

    static Map<String, @Nullable Object> answer(RouteRule rule, Redirect redirect, Request request) {
        return answer(redirect.status(), "", redirect.location(request), rule);
    }

    private static Map<String, @Nullable Object> answer(int status, String body, String location, RouteRule rule) {
        var tree = new LinkedHashMap<String, @Nullable Object>();
        tree.put("status", status);
        tree.put("body", body);
        tree.put("location", location);
        tree.put("rule", rule.origin());
        return tree;
    }
}
