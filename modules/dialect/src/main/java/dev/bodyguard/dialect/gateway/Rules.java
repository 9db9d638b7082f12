package dev.bodyguard.dialect.gateway;

import dev.bodyguard.dialect.reading.Annotated;
import dev.bodyguard.dialect.reading.Fields;
import dev.bodyguard.dialect.reading.Repetition;
import dev.bodyguard.model.HttpMatch;
import dev.bodyguard.model.HttpRule;
import dev.bodyguard.model.HttpRule.Action;
import dev.bodyguard.model.HttpRule.Destination;
import dev.bodyguard.model.HttpRule.Retries;
import dev.bodyguard.model.HttpRule.Weighted;
import dev.bodyguard.model.Service;
import dev.bodyguard.model.StringMatch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// What happens to requests: each rule with its matches, filters and backends.
final class Rules {
    private static final Duration MILLISECOND = Duration.ofMillis(1);
    private static final int USUAL_ATTEMPTS = 2;

    private final String namespace;
    private final Annotated annotated;
    private final Function<Fields, @Nullable HttpMatch> match;

    private Rules(String namespace, Annotated annotated, Function<Fields, @Nullable HttpMatch> match) {
        this.namespace = namespace;
        this.annotated = annotated;
        this.match = match;
    }

    /// @param annotated what holds for a rule that says nothing of it itself
    static List<HttpRule> read(
            String namespace, Fields spec, Annotated annotated, Function<Fields, @Nullable HttpMatch> match) {
        if (!spec.has("rules")) {
            spec.warning("rules", "is missing, so nothing of this is in force; add at least one");
        }
        return spec.list("rules", new Rules(namespace, annotated, match)::rule);
    }

    private HttpRule rule(Fields rule) {
        rule.unsupported("sessionPersistence");
        var written = rule.list("matches", match);
        var matches = written.isEmpty() ? List.of(Matches.everything(rule.origin())) : written;
        var filters = Filters.of(rule);
        if (filters.replacesPrefix() && matches.stream().anyMatch(one -> !(one.uri() instanceof StringMatch.Under))) {
            rule.error("filters", "replacePrefixMatch goes with matches of type PathPrefix only");
        }
        var timeouts = rule.object("timeouts", Rules::timeouts);
        var request = timeouts == null ? null : timeouts.request();
        if (request != null && annotated.timeout() != null) {
            rule.warning("timeouts", "wins over " + annotated.timeoutAt() + "; remove one of the two");
        }
        var backend = timeouts == null ? null : timeouts.backendRequest();
        boolean saysOfRetries = rule.has("retry") || backend != null;
        if (saysOfRetries && annotated.retries() != null) {
            rule.warning(
                    rule.has("retry") ? "retry" : "timeouts",
                    "wins over " + annotated.retriesAt() + "; remove one of the two");
        }
        var retries =
                saysOfRetries || annotated.retries() == null ? retries(rule, matches, backend) : annotated.retries();
        return new HttpRule(
                rule.text("name"),
                matches,
                action(rule, filters),
                request == null ? annotated.timeout() : request,
                retries,
                filters.rewrite(),
                filters.headers(),
                null,
                null,
                rule.origin());
    }

    /// A timeout of zero is none, by its author's word.
    private record Timeouts(
            @Nullable Duration request, @Nullable Duration backendRequest) {}

    private static Timeouts timeouts(Fields timeouts) {
        var request = timeouts.duration("request", Duration.ZERO);
        var backend = timeouts.duration("backendRequest", Duration.ZERO);
        if (request != null && backend != null && request.isPositive() && backend.compareTo(request) > 0) {
            timeouts.error("backendRequest", "must not be longer than request");
        }
        return new Timeouts(request, backend == null || backend.isZero() ? null : backend);
    }

    private static Retries retries(Fields rule, List<HttpMatch> matches, @Nullable Duration perTry) {
        var retries = rule.<Retries>object("retry", retry -> {
            int attempts = retry.number("attempts", 0, 1000, USUAL_ATTEMPTS);
            var codes = retry.wholeNumbers("codes", 400, 599);
            var backoff = retry.duration("backoff", MILLISECOND);
            if (attempts == 0) {
                return new Retries.Never();
            }
            List<String> conditions = List.of();
            if (!codes.isEmpty() && Repetition.isHarmless(matches)) {
                conditions = List.of("connect-failure", "refused-stream", "reset", "retriable-status-codes");
            } else if (!codes.isEmpty()) {
                conditions = List.of("connect-failure", "refused-stream", "retriable-status-codes");
                retry.warning(
                        "codes",
                        "also repeat a POST that may have been processed; leave codes out to repeat only what is"
                                + " idempotent or carries an Idempotency-Key");
            }
            return new Retries.Explicit(attempts, perTry, conditions, new HashSet<>(codes), backoff, true);
        });
        if (retries != null) {
            return retries;
        }
        return perTry == null
                ? new Retries.Unsaid()
                : new Retries.Explicit(
                        USUAL_ATTEMPTS,
                        perTry,
                        List.of("connect-failure", "refused-stream"),
                        new HashSet<>(),
                        null,
                        true);
    }

    private Action action(Fields rule, Filters filters) {
        var backends = rule.list("backendRefs", this::backend);
        var redirect = filters.redirect();
        if (redirect != null) {
            if (rule.has("backendRefs")) {
                rule.error("backendRefs", "must not stand beside a redirect; remove one of the two");
            }
            return redirect;
        }
        if (backends.stream().mapToLong(Weighted::weight).sum() == 0) {
            if (!rule.has("backendRefs")) {
                rule.warning("backendRefs", "is missing, so requests are answered with 500; name a Service");
            }
            return new Action.Refuse(500, "no backend has a weight above 0 in " + rule.origin());
        }
        return new Action.Forward(new ArrayList<>(backends));
    }

    private @Nullable Weighted backend(Fields backend) {
        var group = backend.text("group");
        var kind = backend.has("kind") ? backend.text("kind") : "Service";
        if (!kind.equals("Service") || !(group.isEmpty() || group.equals("core"))) {
            backend.error("kind", "must be Service with group \"\", was " + kind + " of group " + group);
        }
        var name = backend.required("name");
        var explicit = backend.text("namespace");
        if (!backend.has("port")) {
            backend.missing("port", "is required; add it");
        }
        int port = backend.number("port", 1, 65535, 0);
        int weight = backend.number("weight", 0, 1_000_000, 1);
        var filters = Filters.of(backend);
        if (filters.redirect() != null || filters.rewrite() != null) {
            backend.error("filters", "of a backend can only change headers; move the others to the rule");
        }
        return name.isEmpty()
                ? null
                : new Weighted(
                        new Destination(
                                Service.host(name, explicit.isEmpty() ? namespace : explicit),
                                "",
                                port,
                                backend.origin("name"),
                                backend.origin("name"),
                                backend.origin("port")),
                        weight,
                        filters.headers());
    }
}
