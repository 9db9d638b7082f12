package dev.bodyguard.dialect.gateway;

import com.google.re2j.Pattern;
import dev.bodyguard.dialect.reading.Fields;
import dev.bodyguard.model.HttpMatch;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.StringMatch;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Conditions on requests.
final class Matches {
    private static final String EXACT = "Exact";
    private static final String EXPRESSION = "RegularExpression";

    private Matches() {}

    /// Every request.
    static HttpMatch everything(Origin origin) {
        return match(new StringMatch.Under("/"), null, Map.of(), Map.of(), origin);
    }

    static HttpMatch http(Fields match) {
        var path = match.object("path", Matches::path);
        var method =
                match.word("method", "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH");
        return match(
                path == null ? new StringMatch.Under("/") : path,
                method == null ? null : new StringMatch.Exact(method),
                named(match, "headers", true),
                named(match, "queryParams", false),
                match.origin());
    }

    private static StringMatch path(Fields path) {
        var type = path.word("type", EXACT, "PathPrefix", EXPRESSION);
        if (EXPRESSION.equals(type)) {
            return new StringMatch.Regex(path.regex("value"));
        }
        var value = path.has("value") ? path.text("value") : "/";
        if (!value.startsWith("/")) {
            path.error("value", "must begin with /, was " + value);
            return new StringMatch.Under("/");
        }
        if (EXACT.equals(type)) {
            return new StringMatch.Exact(value);
        }
        int end = value.length();
        while (end > 1 && value.charAt(end - 1) == '/') {
            end--;
        }
        return new StringMatch.Under(value.substring(0, end));
    }

    private static Map<String, StringMatch> named(Fields match, String field, boolean ignoreCase) {
        var conditions = new HashMap<String, StringMatch>();
        match.<Boolean>list(field, one -> {
            var written = one.required("name");
            var name = ignoreCase ? written.toLowerCase(Locale.ROOT) : written;
            if (!one.has("value")) {
                one.missing("value", "is required; add it");
            }
            var value = value(one);
            if (conditions.putIfAbsent(name, value) != null) {
                one.warning("name", written + " was asked for before, so this has no effect; remove one of the two");
            }
            return true;
        });
        return conditions;
    }

    private static StringMatch value(Fields one) {
        return EXPRESSION.equals(one.word("type", EXACT, EXPRESSION))
                ? new StringMatch.Regex(one.regex("value"))
                : new StringMatch.Exact(one.text("value"));
    }

    /// A gRPC method is a path of two segments.
    static HttpMatch grpc(Fields match) {
        var path = match.object("method", Matches::method);
        return match(
                path == null ? new StringMatch.Under("/") : path,
                null,
                named(match, "headers", true),
                Map.of(),
                match.origin());
    }

    private static StringMatch method(Fields method) {
        var type = method.word("type", EXACT, EXPRESSION);
        boolean hasService = method.has("service");
        boolean hasMethod = method.has("method");
        if (!hasService && !hasMethod) {
            method.missing("service", "must be there, or method, or both", "method");
            return new StringMatch.Under("/");
        }
        if (EXPRESSION.equals(type)) {
            return new StringMatch.Regex("/" + (hasService ? "(?:" + method.regex("service") + ")" : "[^/]+") + "/"
                    + (hasMethod ? "(?:" + method.regex("method") + ")" : "[^/]+"));
        }
        var service = method.text("service");
        var name = method.text("method");
        if (!hasMethod) {
            return new StringMatch.Prefix("/" + service + "/");
        }
        return hasService
                ? new StringMatch.Exact("/" + service + "/" + name)
                : new StringMatch.Regex("/[^/]+/" + Pattern.quote(name));
    }

    private static HttpMatch match(
            StringMatch path,
            @Nullable StringMatch method,
            Map<String, StringMatch> headers,
            Map<String, StringMatch> queryParams,
            Origin origin) {
        return new HttpMatch(
                "", path, false, null, method, null, headers, Map.of(), queryParams, 0, Map.of(), "", Set.of(), origin);
    }
}
