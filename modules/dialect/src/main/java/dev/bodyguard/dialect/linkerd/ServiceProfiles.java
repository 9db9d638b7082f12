package dev.bodyguard.dialect.linkerd;

import dev.bodyguard.dialect.reading.Fields;
import dev.bodyguard.dialect.reading.Head;
import dev.bodyguard.dialect.reading.Repetition;
import dev.bodyguard.model.BackendPolicy.RetryBudget;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.HttpMatch;
import dev.bodyguard.model.HttpRoutes;
import dev.bodyguard.model.HttpRoutes.OnPort;
import dev.bodyguard.model.HttpRoutes.Rank;
import dev.bodyguard.model.HttpRule;
import dev.bodyguard.model.HttpRule.Action.Forward;
import dev.bodyguard.model.HttpRule.Destination;
import dev.bodyguard.model.HttpRule.HeaderEdits;
import dev.bodyguard.model.HttpRule.Retries;
import dev.bodyguard.model.HttpRule.Weighted;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.Visibility;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// ServiceProfile: which requests to a service are retried, and how long each may take. Its name is the service's.
final class ServiceProfiles {
    /// Linkerd knows no limit but the budget; an endless loop is nobody's wish.
    private static final int MOST_RETRIES = 10;

    /// Linkerd's, where the author says nothing.
    private static final RetryBudget BUDGET = new RetryBudget(20, 10);

    private static final Set<Integer> SERVER_ERRORS = statuses(status -> status >= 500);
    private static final long MOST = 0xffffffffL;

    private final Forward everywhere;

    private ServiceProfiles(Forward everywhere) {
        this.everywhere = everywhere;
    }

    static void read(Document document, Fields spec, Head head, List<Part> parts) {
        spec.unsupported("opaquePorts");
        var host = Mesh.hostOf(document.name());
        if (host.indexOf('.') < 0) {
            spec.warning(
                    "routes",
                    "concern nobody: a profile's name is the full name of its service, such as "
                            + Shares.host(host, document.namespace()));
        }
        var itself =
                new Forward(List.of(new Weighted(new Destination(host, 0, document.origin()), 1, HeaderEdits.NONE)));
        var reader = new ServiceProfiles(Shares.read(document.namespace(), spec, "dstOverrides", "authority")
                .orElse(itself));
        var budget = spec.object("retryBudget", ServiceProfiles::budget);
        var rules = new ArrayList<>(spec.list("routes", reader::rule));
        rules.add(reader.rule("", List.of(), null, new Retries.Never(), document.origin()));
        parts.add(new HttpRoutes(
                Rank.SERVICE_PROFILE,
                document.namespace(),
                List.of(host),
                Map.of(),
                OnPort.ANY,
                Set.of(HttpMatch.MESH),
                host.endsWith("." + document.namespace() + Mesh.SERVICE_SUFFIX)
                        ? Visibility.EVERYWHERE
                        : new Visibility(Set.of(document.namespace())),
                rules,
                budget == null ? BUDGET : budget,
                head.created(),
                document.origin()));
    }

    private static RetryBudget budget(Fields budget) {
        double ratio = budget.fraction("retryRatio", 1000, BUDGET.percent() / 100);
        var least = budget.number("minRetriesPerSecond", 0, MOST);
        if (least != null) {
            budget.warning(
                    "minRetriesPerSecond",
                    "is taken as retries under way at one time: what is counted here is requests, not seconds");
        }
        if (budget.duration("ttl", Duration.ZERO) != null) {
            budget.warning("ttl", "has no effect: retries are compared with the requests that are under way");
        }
        double percent = ratio * 100;
        if (percent > 100) {
            budget.warning("retryRatio", "is taken as 1: there are never more retries than requests under way");
        }
        return new RetryBudget(Math.min(percent, 100), least == null ? BUDGET.minConcurrency() : least);
    }

    private HttpRule rule(Fields route) {
        var name = route.required("name");
        if (!route.has("condition")) {
            route.missing("condition", "is required; add it");
        }
        var condition = route.object("condition", Condition::read);
        var matches = condition == null ? List.<HttpMatch>of() : condition.matches(route, "condition");
        var timeout = route.duration("timeout", Duration.ZERO);
        boolean retryable = route.bool("isRetryable", false);
        var failures = failures(route, retryable);
        return rule(
                name,
                matches,
                timeout == null || timeout.isZero() ? null : timeout,
                retryable ? retries(route, matches, failures) : new Retries.Never(),
                route.origin());
    }

    private HttpRule rule(
            String name, List<HttpMatch> matches, @Nullable Duration timeout, Retries retries, Origin origin) {
        return new HttpRule(name, matches, everywhere, timeout, retries, null, HeaderEdits.NONE, null, null, origin);
    }

    private static Retries retries(Fields route, List<HttpMatch> matches, Set<Integer> failures) {
        boolean usual = failures.equals(SERVER_ERRORS);
        List<String> conditions = List.of();
        if (Repetition.isHarmful(matches)) {
            conditions =
                    List.of(usual ? "5xx" : "retriable-status-codes", "connect-failure", "refused-stream", "reset");
            route.warning(
                    "isRetryable",
                    "also repeats a POST or PATCH that may have been processed; leave the method out to repeat only"
                            + " what carries an Idempotency-Key");
        } else if (!Repetition.isHarmless(matches)) {
            route.warning(
                    "isRetryable",
                    "repeats a POST or PATCH that may have been processed only with an Idempotency-Key; a route with"
                            + " method: POST repeats it regardless");
        }
        return new Retries.Explicit(MOST_RETRIES, null, conditions, usual ? Set.of() : failures, null, true);
    }

    /// The status codes that are failures: the first class that holds decides, and where none does 5xx are.
    private static Set<Integer> failures(Fields route, boolean retryable) {
        var classes = route.list("responseClasses", one -> {
            if (!one.has("condition")) {
                one.missing("condition", "is required; add it");
            }
            var condition = one.object("condition", Statuses::read);
            boolean failure = one.bool("isFailure", false);
            return condition == null ? null : new Response(condition, failure);
        });
        var failures = statuses(status -> classes.stream()
                .filter(one -> one.condition().holds(status))
                .findFirst()
                .map(Response::isFailure)
                .orElse(status >= 500));
        if (!classes.isEmpty() && !retryable) {
            route.warning(
                    "responseClasses",
                    "say what is retried, and this route is not; metrics count by status code; set isRetryable or"
                            + " leave them out");
        }
        return failures;
    }

    private record Response(Statuses condition, boolean isFailure) {}

    private static Set<Integer> statuses(Statuses condition) {
        var statuses = new TreeSet<Integer>();
        for (int status = 200; status < 600; status++) {
            if (condition.holds(status)) {
                statuses.add(status);
            }
        }
        return statuses;
    }

    /// A condition on a status code.
    private interface Statuses {
        boolean holds(int status);

        static @Nullable Statuses read(Fields condition) {
            var all = new ArrayList<Statuses>();
            condition.<Boolean>object("status", range -> {
                int min = range.number("min", 100, 599, 0);
                int max = range.number("max", 100, 599, 0);
                if (min == 0 && max == 0) {
                    range.missing("min", "must be there, or max, or both", "max");
                }
                // Linkerd: one of the two alone means exactly this status.
                int from = min == 0 ? max : min;
                int to = max == 0 ? min : max;
                all.add(status -> status >= from && status <= to);
                return true;
            });
            if (condition.has("all")) {
                var each = condition.list("all", Statuses::read);
                all.add(status -> each.stream().allMatch(one -> one.holds(status)));
            }
            if (condition.has("any")) {
                var some = condition.list("any", Statuses::read);
                all.add(status -> some.stream().anyMatch(one -> one.holds(status)));
            }
            var not = condition.object("not", Statuses::read);
            if (not != null) {
                all.add(status -> !not.holds(status));
            }
            if (condition.written().isEmpty()) {
                condition.missing("status", "must be there, or all, any or not", "all", "any", "not");
                return null;
            }
            return status -> all.stream().allMatch(one -> one.holds(status));
        }
    }
}
