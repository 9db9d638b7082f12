package dev.bodyguard.dialect.gateway;

import dev.bodyguard.dialect.reading.Fields;
import dev.bodyguard.model.HttpRule.Action.Redirect;
import dev.bodyguard.model.HttpRule.HeaderEdit;
import dev.bodyguard.model.HttpRule.HeaderEdits;
import dev.bodyguard.model.HttpRule.RedirectPort;
import dev.bodyguard.model.HttpRule.Rewrite;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What is done to a request and its answer on their way.
final class Filters {
    private static final Map<String, String> FIELD_OF_TYPE = Map.of(
            "RequestHeaderModifier", "requestHeaderModifier",
            "ResponseHeaderModifier", "responseHeaderModifier",
            "RequestRedirect", "requestRedirect",
            "URLRewrite", "urlRewrite",
            "RequestMirror", "requestMirror",
            "CORS", "cors",
            "ExternalAuth", "externalAuth",
            "ExtensionRef", "extensionRef");

    private HeaderEdit request = HeaderEdit.NONE;
    private HeaderEdit response = HeaderEdit.NONE;
    private @Nullable Redirect redirect;
    private @Nullable Rewrite rewrite;
    /// A part of the path is replaced by another, so a match must say which part.
    private boolean replacesPrefix;

    private Filters() {}

    /// The filters of a rule, or of one of its backends.
    static Filters of(Fields owner) {
        var filters = new Filters();
        var seen = new HashSet<String>();
        owner.<Boolean>list("filters", filter -> {
            filters.read(filter, seen);
            return true;
        });
        if (filters.redirect != null && filters.rewrite != null) {
            owner.error("filters", "must not both redirect and rewrite; remove one of the two");
        }
        return filters;
    }

    HeaderEdits headers() {
        return new HeaderEdits(request, response);
    }

    @Nullable
    Redirect redirect() {
        return redirect;
    }

    @Nullable
    Rewrite rewrite() {
        return rewrite;
    }

    boolean replacesPrefix() {
        return replacesPrefix;
    }

    private void read(Fields filter, Set<String> seen) {
        var type = filter.word(
                "type",
                "RequestHeaderModifier",
                "ResponseHeaderModifier",
                "RequestRedirect",
                "URLRewrite",
                "RequestMirror",
                "CORS",
                "ExternalAuth",
                "ExtensionRef");
        if (type == null) {
            if (!filter.has("type")) {
                filter.missing("type", "is required; add it");
            }
            FIELD_OF_TYPE.values().forEach(filter::elsewhere);
            return;
        }
        var field = FIELD_OF_TYPE.getOrDefault(type, "");
        if (!filter.has(field)) {
            filter.missing(field, "is required with type " + type + "; add it");
        }
        if (!seen.add(type) && !type.equals("RequestMirror") && !type.equals("ExtensionRef")) {
            filter.error("type", "must not be " + type + " twice; put both into one filter");
        }
        switch (type) {
            case "RequestHeaderModifier" -> request = edit(filter, field);
            case "ResponseHeaderModifier" -> response = edit(filter, field);
            case "RequestRedirect" -> redirect = filter.object(field, this::redirect);
            case "URLRewrite" -> rewrite = filter.object(field, this::rewrite);
            case "RequestMirror" -> filter.unsupported(field);
            default -> {
                filter.elsewhere(field);
                // Gateway API: a filter that cannot be applied must not be skipped.
                filter.error(
                        "type", type + " is not supported yet, and requests must not go without it; remove the filter");
            }
        }
    }

    private static HeaderEdit edit(Fields filter, String field) {
        var edit = filter.<HeaderEdit>object(
                field, inner -> new HeaderEdit(values(inner, "set"), values(inner, "add"), inner.texts("remove")));
        return edit == null ? HeaderEdit.NONE : edit;
    }

    private static Map<String, String> values(Fields edit, String field) {
        var values = new LinkedHashMap<String, String>();
        edit.<Boolean>list(field, one -> {
            var name = one.required("name");
            if (!one.has("value")) {
                one.missing("value", "is required; add it");
            }
            if (values.putIfAbsent(name, one.text("value")) != null) {
                one.warning("name", name + " stands here twice, so this has no effect; remove one of the two");
            }
            return true;
        });
        return values;
    }

    /// A path, or what replaces a part of it; empty where neither was said.
    private record NewPath(@Nullable String whole, @Nullable String prefix) {}

    private NewPath newPath(Fields filter) {
        var path = filter.<NewPath>object("path", inner -> {
            var type = inner.word("type", "ReplaceFullPath", "ReplacePrefixMatch");
            if (!inner.has("type")) {
                inner.missing("type", "is required; add it");
            }
            var whole = inner.textOrNull("replaceFullPath");
            var prefix = inner.textOrNull("replacePrefixMatch");
            if (whole != null && !"ReplaceFullPath".equals(type)) {
                inner.error("replaceFullPath", "goes with type ReplaceFullPath");
            }
            if (prefix != null && !"ReplacePrefixMatch".equals(type)) {
                inner.error("replacePrefixMatch", "goes with type ReplacePrefixMatch");
            }
            if (whole == null && prefix == null && type != null) {
                var field = type.equals("ReplaceFullPath") ? "replaceFullPath" : "replacePrefixMatch";
                inner.missing(field, "is required with type " + type + "; add it");
            }
            return new NewPath(whole, prefix == null || prefix.startsWith("/") ? prefix : "/" + prefix);
        });
        if (path != null && path.prefix() != null) {
            replacesPrefix = true;
        }
        return path == null ? new NewPath(null, null) : path;
    }

    private Rewrite rewrite(Fields rewrite) {
        var path = newPath(rewrite);
        return new Rewrite(path.whole(), path.prefix(), rewrite.textOrNull("hostname"));
    }

    private Redirect redirect(Fields redirect) {
        var path = newPath(redirect);
        var scheme = redirect.word("scheme", "http", "https");
        var host = redirect.textOrNull("hostname");
        int number = redirect.number("port", 1, 65535, 0);
        int status = redirect.number("statusCode", 0, 999, 302);
        if (!Set.of(301, 302, 303, 307, 308).contains(status)) {
            redirect.error("statusCode", "must be one of 301, 302, 303, 307, 308, was " + status);
        }
        RedirectPort port = new RedirectPort.AsRequested();
        if (number != 0) {
            boolean usual = number == ("https".equals(scheme) ? 443 : 80);
            if (!usual) {
                port = new RedirectPort.Fixed(number);
            } else if (scheme == null) {
                // Named, so that a port of the request does not stay.
                scheme = "http";
            }
        } else if (scheme == null && host != null) {
            port = new RedirectPort.Kept();
        }
        return new Redirect(path.whole(), path.prefix(), host, scheme, port, status);
    }
}
