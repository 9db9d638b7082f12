package dev.bodyguard.dialect.linkerd;

import dev.bodyguard.dialect.reading.Fields;
import dev.bodyguard.model.HttpMatch;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.StringMatch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A condition on a request, of method and path, with all, any and not.
sealed interface Condition {
    /// More than this many alternatives are nobody's intention.
    int MOST_ALTERNATIVES = 64;

    record Method(String method, boolean holds) implements Condition {}

    record Path(String regex, boolean holds) implements Condition {}

    record All(List<Condition> conditions) implements Condition {}

    record Any(List<Condition> conditions) implements Condition {}

    /// What a mapping says: all of its fields together.
    static @Nullable Condition read(Fields condition) {
        return read(condition, true);
    }

    private static @Nullable Condition read(Fields fields, boolean holds) {
        var all = new ArrayList<Condition>();
        var method =
                fields.word("method", "GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "TRACE", "PATCH", "CONNECT");
        if (method != null) {
            all.add(new Method(method, holds));
        }
        if (fields.has("pathRegex")) {
            all.add(new Path(fields.regex("pathRegex"), holds));
        }
        if (fields.has("all")) {
            all.add(together(fields.list("all", one -> read(one, holds)), holds));
        }
        if (fields.has("any")) {
            all.add(together(fields.list("any", one -> read(one, holds)), !holds));
        }
        if (fields.has("not")) {
            // Linkerd takes a mapping, its schema a list.
            var not = fields.isList("not")
                    ? together(fields.list("not", one -> read(one, !holds)), true)
                    : fields.object("not", one -> read(one, !holds));
            if (not != null) {
                all.add(not);
            }
        }
        if (fields.written().isEmpty()) {
            fields.missing("pathRegex", "must be there, or method, all, any or not", "method", "all", "any", "not");
            return null;
        }
        return together(all, holds);
    }

    /// De Morgan: denied, all become any.
    private static Condition together(List<Condition> conditions, boolean all) {
        return all ? new All(conditions) : new Any(conditions);
    }

    /// The matches of which one must hold.
    default List<HttpMatch> matches(Fields route, String field) {
        var alternatives = alternatives();
        if (alternatives.size() > MOST_ALTERNATIVES) {
            route.error(field, "has more than " + MOST_ALTERNATIVES + " alternatives; divide the route");
            return List.of();
        }
        var matches = new ArrayList<HttpMatch>();
        for (var alternative : alternatives) {
            var match = match(alternative, route, field);
            if (match != null) {
                matches.add(match);
            }
        }
        if (matches.isEmpty()) {
            route.error(field, "can never hold");
        }
        return matches;
    }

    /// The condition as alternatives, each of methods and paths that must all hold; at most one too many.
    private List<List<Condition>> alternatives() {
        return switch (this) {
            case Method _, Path _ -> List.of(List.of(this));
            case Any(var conditions) ->
                conditions.stream()
                        .flatMap(one -> one.alternatives().stream())
                        .limit(MOST_ALTERNATIVES + 1L)
                        .toList();
            case All(var conditions) -> {
                List<List<Condition>> product = List.of(List.of());
                for (var condition : conditions) {
                    var next = new ArrayList<List<Condition>>();
                    for (var left : product) {
                        for (var right : condition.alternatives()) {
                            if (next.size() <= MOST_ALTERNATIVES) {
                                var both = new ArrayList<>(left);
                                both.addAll(right);
                                next.add(both);
                            }
                        }
                    }
                    product = next;
                }
                yield product;
            }
        };
    }

    // Null where it can never hold.
    private static @Nullable HttpMatch match(List<Condition> all, Fields route, String field) {
        Set<String> methods = new LinkedHashSet<>();
        Set<String> otherMethods = new LinkedHashSet<>();
        Set<String> paths = new LinkedHashSet<>();
        Set<String> otherPaths = new LinkedHashSet<>();
        for (var one : all) {
            switch (one) {
                case Method(var method, boolean holds) -> (holds ? methods : otherMethods).add(method);
                case Path(var regex, boolean holds) -> (holds ? paths : otherPaths).add(regex);
                case All _, Any _ -> throw new IllegalStateException("alternatives are of methods and paths");
            }
        }
        if (methods.size() > 1 || methods.stream().anyMatch(otherMethods::contains)) {
            return null;
        }
        if (paths.size() > 2) {
            route.error(field, "asks for more than two pathRegex of one path; write them as one");
            return null;
        }
        var uri = paths.stream()
                .findFirst()
                .<StringMatch>map(StringMatch.Regex::new)
                .orElse(null);
        var headers = new HashMap<String, StringMatch>();
        paths.stream().skip(1).forEach(regex -> headers.put(":path", withQuery(List.of(regex))));
        var without = new HashMap<String, StringMatch>();
        if (!otherMethods.isEmpty()) {
            without.put(":method", new StringMatch.Regex(String.join("|", otherMethods)));
        }
        if (!otherPaths.isEmpty()) {
            without.put(":path", withQuery(List.copyOf(otherPaths)));
        }
        Origin origin = route.origin(field);
        return new HttpMatch(
                "",
                uri,
                false,
                null,
                methods.stream()
                        .findFirst()
                        .<StringMatch>map(StringMatch.Exact::new)
                        .orElse(null),
                null,
                headers,
                without,
                Map.of(),
                0,
                Map.of(),
                "",
                Set.of(),
                origin);
    }

    // The pseudo-header holds the query too.
    private static StringMatch withQuery(List<String> regexes) {
        return new StringMatch.Regex("(?:"
                + String.join(
                        "|", regexes.stream().map(one -> "(?:" + one + ")").toList()) + ")(?:\\?.*)?");
    }
}
