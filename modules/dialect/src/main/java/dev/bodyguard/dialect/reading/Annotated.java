package dev.bodyguard.dialect.reading;

import dev.bodyguard.model.HttpRule.Retries;
import dev.bodyguard.model.Origin;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What an object's annotations say of requests, in Linkerd's words: `retry.linkerd.io/` and
/// `timeout.linkerd.io/request`.
/// On a route they hold for its rules, on a Service for whoever calls it; either way where nothing else is said.
///
/// @param retries null where nothing is said
/// @param timeout for the whole exchange, zero for none, null where nothing is said
/// @param at where the annotations are written
/// @param retriesAt where the retries are written
/// @param timeoutAt where the timeout is written
public record Annotated(
        Retries.@Nullable Explicit retries, @Nullable Duration timeout, Origin at, Origin retriesAt, Origin timeoutAt) {
    private static final String HTTP = "retry.linkerd.io/http";
    private static final String GRPC = "retry.linkerd.io/grpc";
    private static final String LIMIT = "retry.linkerd.io/limit";
    private static final String PER_TRY = "retry.linkerd.io/timeout";
    private static final String REQUEST = "timeout.linkerd.io/request";

    /// All that say how requests are treated, and so must not be passed over in silence.
    private static final Set<String> ROUTING =
            Set.of("retry.linkerd.io/", "timeout.linkerd.io/", "balancer.linkerd.io/", "balancer.alpha.linkerd.io/");

    private static final Set<String> UNDERSTOOD = Set.of(HTTP, GRPC, LIMIT, PER_TRY, REQUEST);

    private static final Set<String> OF_GRPC =
            Set.of("cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable");

    private static final Pattern STATUSES = Pattern.compile("([45][0-9]{2})(?:-([45][0-9]{2}))?");
    private static final Duration MILLISECOND = Duration.ofMillis(1);
    private static final int USUAL_LIMIT = 1;

    /// Whose annotations these are: what of them can be in force.
    public enum On {
        /// Whoever calls it, by HTTP or gRPC.
        SERVICE,
        HTTP_ROUTE,
        GRPC_ROUTE,
        /// An object whose routing is not said by annotations.
        OTHER;

        static On kind(String kind) {
            return switch (kind) {
                case "Service" -> SERVICE;
                case "HTTPRoute" -> HTTP_ROUTE;
                case "GRPCRoute" -> GRPC_ROUTE;
                default -> OTHER;
            };
        }
    }

    static Annotated nothing(Origin origin) {
        return new Annotated(null, null, origin, origin, origin);
    }

    /// Whether nothing is said.
    public boolean isEmpty() {
        return retries == null && timeout == null;
    }

    static Annotated read(Fields annotations, On on) {
        for (var name : annotations.written()) {
            if (ROUTING.stream().anyMatch(name::startsWith) && !(on != On.OTHER && UNDERSTOOD.contains(name))) {
                annotations.unsupported(name);
            }
            annotations.elsewhere(name);
        }
        if (on == On.OTHER) {
            return nothing(annotations.origin());
        }
        return new Annotated(
                retries(annotations, on),
                annotations.duration(REQUEST, Duration.ZERO),
                annotations.origin(),
                annotations.origin(annotations.has(HTTP) ? HTTP : GRPC),
                annotations.origin(REQUEST));
    }

    private static Retries.@Nullable Explicit retries(Fields annotations, On on) {
        var limit = limit(annotations);
        var perTry = annotations.duration(PER_TRY, MILLISECOND);
        if (annotations.has(HTTP) && on == On.GRPC_ROUTE) {
            annotations.warning(HTTP, "has no effect on a GRPCRoute; write " + GRPC);
        } else if (annotations.has(HTTP)) {
            if (annotations.has(GRPC)) {
                annotations.warning(
                        GRPC,
                        on == On.SERVICE
                                ? "has no effect beside " + HTTP + "; write it on a GRPCRoute"
                                : "has no effect on an HTTPRoute; write it on a GRPCRoute");
            }
            return http(annotations, limit, perTry);
        }
        if (annotations.has(GRPC) && on != On.HTTP_ROUTE) {
            return grpc(annotations, limit, perTry);
        }
        var condition = on == On.GRPC_ROUTE ? GRPC : HTTP;
        if (annotations.has(GRPC) && on == On.HTTP_ROUTE) {
            annotations.warning(GRPC, "has no effect on an HTTPRoute; write " + HTTP);
        }
        for (var name : List.of(LIMIT, PER_TRY)) {
            if (annotations.has(name)) {
                annotations.warning(name, "has no effect without " + condition + ", which says what is retried");
            }
        }
        return null;
    }

    private static int limit(Fields annotations) {
        var text = annotations.text(LIMIT);
        if (!annotations.has(LIMIT)) {
            return USUAL_LIMIT;
        }
        if (!text.matches("[1-9][0-9]{0,2}")) {
            annotations.error(LIMIT, "must be a whole number from 1 to 999 in quotes, was " + text);
            return USUAL_LIMIT;
        }
        return Integer.parseInt(text);
    }

    private static Retries.Explicit http(Fields annotations, int limit, @Nullable Duration perTry) {
        var statuses = new TreeSet<Integer>();
        for (var word : words(annotations, HTTP)) {
            var codes = STATUSES.matcher(word);
            if (word.equals("5xx")) {
                add(statuses, 500, 599);
            } else if (word.equals("gateway-error")) {
                add(statuses, 502, 504);
            } else if (codes.matches()) {
                int from = Integer.parseInt(codes.group(1));
                add(statuses, from, codes.group(2) == null ? from : Integer.parseInt(codes.group(2)));
            } else {
                annotations.error(
                        HTTP,
                        "must be made of 5xx, gateway-error, statuses from 400 to 599 and ranges such as 500-503, with"
                                + " commas between them, was " + word);
            }
        }
        annotations.warning(
                HTTP,
                "repeats a POST or PATCH that may have been processed only with an Idempotency-Key; an HTTPRoute's"
                        + " retry.codes repeats it regardless");
        boolean usual = statuses.size() == 100 && statuses.first() == 500;
        return new Retries.Explicit(limit, perTry, List.of(), usual ? Set.of() : statuses, null, true);
    }

    private static void add(Set<Integer> statuses, int from, int to) {
        for (int status = from; status <= to; status++) {
            statuses.add(status);
        }
    }

    private static Retries.Explicit grpc(Fields annotations, int limit, @Nullable Duration perTry) {
        var conditions = new ArrayList<String>();
        for (var word : words(annotations, GRPC)) {
            if (OF_GRPC.contains(word)) {
                conditions.add(word);
            } else {
                annotations.error(
                        GRPC,
                        "must be made of " + String.join(", ", new TreeSet<>(OF_GRPC))
                                + ", with commas between them, was " + word);
            }
        }
        conditions.addAll(List.of("connect-failure", "refused-stream"));
        annotations.warning(
                GRPC, "also repeats a call that may have been processed; leave it out where that does harm");
        return new Retries.Explicit(limit, perTry, conditions, Set.of(), null, true);
    }

    private static List<String> words(Fields annotations, String name) {
        return Pattern.compile(",")
                .splitAsStream(annotations.text(name))
                .map(String::strip)
                .toList();
    }
}
