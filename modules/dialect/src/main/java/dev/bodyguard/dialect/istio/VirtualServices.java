package dev.bodyguard.dialect.istio;

import dev.bodyguard.dialect.Nearest;
import dev.bodyguard.dialect.reading.Fields;
import dev.bodyguard.dialect.reading.Head;
import dev.bodyguard.dialect.reading.Repetition;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.HttpMatch;
import dev.bodyguard.model.HttpRoutes;
import dev.bodyguard.model.HttpRule;
import dev.bodyguard.model.HttpRule.Action;
import dev.bodyguard.model.HttpRule.Destination;
import dev.bodyguard.model.HttpRule.HeaderEdit;
import dev.bodyguard.model.HttpRule.HeaderEdits;
import dev.bodyguard.model.HttpRule.RedirectPort;
import dev.bodyguard.model.HttpRule.Retries;
import dev.bodyguard.model.HttpRule.Weighted;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.StringMatch;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// VirtualService: what happens to requests for some hosts.
final class VirtualServices {
    private static final Duration ZERO = Duration.ZERO;
    private static final Duration MILLISECOND = Duration.ofMillis(1);

    /// Conditions under which no application saw the request.
    private static final Set<String> HARMLESS =
            Set.of("connect-failure", "refused-stream", "reset-before-request", "http3-post-connect-failure");

    private static final Set<String> CONDITIONS = Set.of(
            "5xx",
            "gateway-error",
            "reset",
            "reset-before-request",
            "connect-failure",
            "envoy-ratelimited",
            "retriable-4xx",
            "refused-stream",
            "retriable-status-codes",
            "retriable-headers",
            "http3-post-connect-failure",
            "cancelled",
            "deadline-exceeded",
            "internal",
            "resource-exhausted",
            "unavailable");

    /// Conditions that only other proxies act on.
    private static final Set<String> UNHEARD =
            Set.of("envoy-ratelimited", "retriable-headers", "http3-post-connect-failure");

    private final String namespace;

    private VirtualServices(String namespace) {
        this.namespace = namespace;
    }

    static void read(Document document, Fields spec, Head head, List<Part> parts) {
        var namespace = document.namespace();
        var hosts = spec.texts("hosts");
        if (hosts.isEmpty()) {
            spec.missing("hosts", "is required; name at least one host");
        }
        hosts.forEach(host -> Hosts.checked(spec, "hosts", host));
        var gateways = spec.texts("gateways");
        if (!gateways.isEmpty() && !gateways.contains(HttpMatch.MESH)) {
            spec.warning(
                    "gateways",
                    "gateways are not supported yet, so nothing of this is in force; add mesh for sidecars");
        } else if (gateways.size() > 1) {
            spec.warning("gateways", "gateways are not supported yet; in force for sidecars (mesh) only");
        }
        spec.unsupported("tls", "tcp");
        var visibility = Hosts.exportTo(spec, namespace);
        var reader = new VirtualServices(namespace);
        var rules = spec.list("http", reader::rule);
        if (!spec.has("http") && !spec.has("tls") && !spec.has("tcp")) {
            spec.missing("http", "is required; add at least one route", "tls", "tcp");
        }
        if (!rules.isEmpty()) {
            parts.add(new HttpRoutes(
                    HttpRoutes.Rank.VIRTUAL_SERVICE,
                    namespace,
                    hosts.stream()
                            .map(host -> Hosts.full(host, namespace))
                            .distinct()
                            .toList(),
                    hostsAt(hosts, spec.origins("hosts"), namespace),
                    HttpRoutes.OnPort.ANY,
                    gateways.isEmpty() ? Set.of(HttpMatch.MESH) : new HashSet<>(gateways),
                    visibility,
                    rules,
                    null,
                    head.created(),
                    document.origin()));
        }
    }

    private static Map<String, Origin> hostsAt(List<String> hosts, List<Origin> places, String namespace) {
        var at = new HashMap<String, Origin>();
        for (int i = 0; i < Math.min(hosts.size(), places.size()); i++) {
            at.putIfAbsent(Hosts.full(hosts.get(i), namespace), places.get(i));
        }
        return at;
    }

    private @Nullable HttpRule rule(Fields http) {
        http.unsupported(
                "corsPolicy", "delegate", "mirror", "mirrors", "mirrorPercent", "mirror_percent", "mirrorPercentage");
        var name = http.text("name");
        var matches = http.list("match", this::match);
        var timeout = http.duration("timeout", ZERO);
        var retries = http.object("retries", inner -> retries(inner, Repetition.isHarmless(matches)));
        var rewrite = http.object("rewrite", to -> {
            to.unsupported("uriRegexRewrite");
            return new HttpRule.Rewrite(null, to.textOrNull("uri"), to.textOrNull("authority"));
        });
        var headers = headers(http);
        var delay = new ArrayList<HttpRule.Delay>();
        var abort = new ArrayList<HttpRule.Abort>();
        http.<Boolean>object("fault", fault -> {
            fault.object("delay", inner -> collected(delay, delay(inner)));
            fault.object("abort", inner -> collected(abort, abort(inner)));
            return true;
        });
        var action = action(http);
        return action == null
                ? null
                : new HttpRule(
                        name,
                        matches,
                        action,
                        timeout,
                        retries == null ? new Retries.Unsaid() : retries,
                        rewrite,
                        headers,
                        delay.isEmpty() ? null : delay.getFirst(),
                        abort.isEmpty() ? null : abort.getFirst(),
                        http.origin());
    }

    private static <T> boolean collected(List<T> all, @Nullable T one) {
        if (one != null) {
            all.add(one);
        }
        return true;
    }

    private @Nullable Action action(Fields http) {
        var redirect = http.object("redirect", VirtualServices::redirect);
        var respond = http.object("directResponse", VirtualServices::respond);
        var destinations = http.list("route", this::weighted);
        int said = (http.has("redirect") ? 1 : 0) + (http.has("directResponse") ? 1 : 0) + (http.has("route") ? 1 : 0);
        if (said != 1) {
            var must = "must be there, or redirect or directResponse in its place, and only one of them";
            if (said > 1) {
                http.error("route", must);
            } else if (!http.has("delegate")) {
                http.missing("route", must, "redirect", "directResponse");
            }
            return null;
        }
        if (redirect != null || respond != null) {
            if (http.has("rewrite") || http.has("retries") || http.has("timeout")) {
                http.warning(
                        redirect != null ? "redirect" : "directResponse",
                        "the proxy answers itself, so rewrite, retries and timeout beside it have no effect");
            }
            return redirect != null ? redirect : respond;
        }
        if (!http.has("route") || destinations.isEmpty()) {
            if (http.has("route")) {
                http.missing("route", "must name at least one destination that is right");
            }
            return null;
        }
        // As in Istio: a single destination gets everything, whatever weight it has or has not.
        if (destinations.size() == 1) {
            var only = destinations.getFirst();
            return new Action.Forward(List.of(new Weighted(only.destination(), 1, only.headers())));
        }
        if (destinations.stream().mapToLong(Weighted::weight).sum() == 0) {
            http.error("route", "must give some destination a weight above 0, were all 0");
            return null;
        }
        return new Action.Forward(destinations);
    }

    private @Nullable Weighted weighted(Fields route) {
        // One mistake, one problem: a weight that is wrong counts as one that is there.
        var weight = route.number("weight", 0, Integer.MAX_VALUE, route.has("weight") ? 1 : 0);
        var headers = headers(route);
        if (!route.has("destination")) {
            route.missing("destination", "is required; add it with a host");
        }
        var destination = route.object("destination", this::destination);
        return destination == null ? null : new Weighted(destination, weight, headers);
    }

    private record Port(int number, Origin at) {}

    private Destination destination(Fields destination) {
        var host = Hosts.required(destination, "host", namespace);
        var subset = destination.text("subset");
        var port = destination.<Port>object("port", inner -> {
            if (!inner.has("number")) {
                inner.missing("number", "is required; add it");
            }
            return new Port(inner.number("number", 1, 65535, 0), inner.origin("number"));
        });
        return new Destination(
                host,
                subset,
                port == null ? 0 : port.number(),
                destination.origin(subset.isEmpty() ? "host" : "subset"),
                destination.origin("host"),
                port == null ? null : port.at());
    }

    private HttpMatch match(Fields match) {
        match.unsupported("statPrefix");
        var gateways = match.texts("gateways");
        if (!gateways.isEmpty() && !gateways.contains(HttpMatch.MESH)) {
            match.warning("gateways", "gateways are not supported yet, so this never matches; add mesh for sidecars");
        }
        var uri = match.match("uri");
        boolean ignoreCase = match.bool("ignoreUriCase", false);
        if (ignoreCase && uri instanceof StringMatch.Regex) {
            match.warning("ignoreUriCase", "has no effect on a regex; begin the expression with (?i)");
        }
        return new HttpMatch(
                match.text("name"),
                uri,
                ignoreCase,
                match.match("scheme"),
                match.match("method"),
                match.match("authority"),
                match.matches("headers"),
                match.matches("withoutHeaders"),
                match.matches("queryParams"),
                match.number("port", 1, 65535, 0),
                match.map("sourceLabels"),
                match.text("sourceNamespace"),
                new HashSet<>(gateways),
                match.origin());
    }

    private static Retries retries(Fields retries, boolean idempotent) {
        retries.unsupported("retryRemoteLocalities");
        var attempts = retries.number("attempts", 0, 1000, 2);
        var perTry = retries.duration("perTryTimeout", MILLISECOND);
        var backoff = retries.duration("backoff", MILLISECOND);
        boolean elsewhere = retries.bool("retryIgnorePreviousHosts", true);
        var conditions = new ArrayList<String>();
        var statuses = new HashSet<Integer>();
        var repeating = new ArrayList<String>();
        for (var written : retries.text("retryOn").split(",", -1)) {
            var word = written.strip();
            if (word.isEmpty()) {
                continue;
            }
            if (word.matches("[1-5][0-9][0-9]")) {
                statuses.add(Integer.valueOf(word));
                repeating.add(word);
            } else if (CONDITIONS.contains(word)) {
                conditions.add(word);
                if (UNHEARD.contains(word)) {
                    retries.warning("retryOn", word + " is not supported yet by Bodyguard's own sidecar; leave it out");
                }
                if (!HARMLESS.contains(word)) {
                    repeating.add(word);
                }
            } else {
                retries.error(
                        "retryOn", "must be conditions or status codes, was " + word + Nearest.to(word, CONDITIONS));
            }
        }
        if (!statuses.isEmpty() && !conditions.contains("retriable-status-codes")) {
            conditions.add("retriable-status-codes");
        }
        if (attempts == 0) {
            return new Retries.Never();
        }
        if (!repeating.isEmpty() && !idempotent) {
            retries.warning(
                    "retryOn",
                    String.join(",", repeating) + " also repeats a POST that may have been processed; leave retryOn out"
                            + " to repeat only what is idempotent or carries an Idempotency-Key");
        }
        return new Retries.Explicit(attempts, perTry, conditions, statuses, backoff, elsewhere);
    }

    private static Action redirect(Fields redirect) {
        var path = redirect.textOrNull("uri");
        var prefix = redirect.textOrNull("prefixRewrite");
        if (path != null && prefix != null) {
            redirect.error("prefixRewrite", "cannot stand beside uri; remove one of the two");
        }
        var number = redirect.number("port", 1, 65535, 0);
        var derived = redirect.word("derivePort", "FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT");
        if (number != 0 && derived != null) {
            redirect.error("derivePort", "cannot stand beside port; remove one of the two");
        }
        int status = redirect.number("redirectCode", 0, 999, 301);
        if (!Set.of(301, 302, 303, 307, 308).contains(status)) {
            redirect.error("redirectCode", "must be one of 301, 302, 303, 307, 308, was " + status);
        }
        RedirectPort port = number != 0
                ? new RedirectPort.Fixed(number)
                : switch (derived) {
                    case "FROM_PROTOCOL_DEFAULT" -> new RedirectPort.OfScheme();
                    case "FROM_REQUEST_PORT" -> new RedirectPort.OfRequest();
                    case null, default -> new RedirectPort.AsRequested();
                };
        return new Action.Redirect(
                path, prefix, redirect.textOrNull("authority"), redirect.textOrNull("scheme"), port, status);
    }

    private static Action respond(Fields response) {
        if (!response.has("status")) {
            response.missing("status", "is required; add it");
        }
        int status = response.number("status", 200, 599, 200);
        var body = response.<String>object("body", inner -> {
            if (inner.has("string") && inner.has("bytes")) {
                inner.error("bytes", "cannot stand beside string; remove one of the two");
            }
            return inner.has("bytes") ? decoded(inner) : inner.text("string");
        });
        if (body != null && body.getBytes(StandardCharsets.UTF_8).length > 4096) {
            response.error("body", "must be at most 4096 bytes; serve more from a service");
        }
        return new Action.Respond(status, body == null ? "" : body);
    }

    private static String decoded(Fields body) {
        try {
            var bytes = Base64.getDecoder().decode(body.text("bytes"));
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (IllegalArgumentException | CharacterCodingException _) {
            body.error("bytes", "must be base64 of a text in UTF-8");
            return "";
        }
    }

    private static HeaderEdits headers(Fields fields) {
        var edits = fields.<HeaderEdits>object("headers", headers -> {
            var request = headers.object("request", VirtualServices::edit);
            var response = headers.object("response", VirtualServices::edit);
            return new HeaderEdits(
                    request == null ? HeaderEdit.NONE : request, response == null ? HeaderEdit.NONE : response);
        });
        return edits == null ? HeaderEdits.NONE : edits;
    }

    private static HeaderEdit edit(Fields edit) {
        return new HeaderEdit(edit.map("set"), edit.map("add"), edit.texts("remove"));
    }

    private static HttpRule.@Nullable Delay delay(Fields delay) {
        delay.unsupported("exponentialDelay");
        if (!delay.has("fixedDelay")) {
            delay.missing("fixedDelay", "is required; add it");
        }
        var pause = delay.duration("fixedDelay", MILLISECOND);
        double percent = percentage(delay, delay.percent("percent", 0));
        return pause == null ? null : new HttpRule.Delay(pause, percent);
    }

    private static HttpRule.@Nullable Abort abort(Fields abort) {
        abort.unsupported("grpcStatus", "http2Error");
        double percent = percentage(abort, 0);
        if (!abort.has("httpStatus")) {
            if (!abort.has("grpcStatus") && !abort.has("http2Error")) {
                abort.missing("httpStatus", "is required; add it", "grpcStatus", "http2Error");
            }
            return null;
        }
        return new HttpRule.Abort(abort.number("httpStatus", 200, 599, 503), percent);
    }

    private static double percentage(Fields fault, double otherwise) {
        var percent = fault.<Double>object("percentage", inner -> inner.percent("value", 0));
        if (percent == null && otherwise == 0) {
            fault.warning("percentage", "is missing, so no request is concerned; add percentage: {value: 100} for all");
        }
        return percent == null ? otherwise : percent;
    }
}
