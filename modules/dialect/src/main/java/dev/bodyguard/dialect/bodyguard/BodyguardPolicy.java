package dev.bodyguard.dialect.bodyguard;

import dev.bodyguard.dialect.Dialect;
import dev.bodyguard.dialect.Kind;
import dev.bodyguard.dialect.Translation;
import dev.bodyguard.dialect.reading.Fields;
import dev.bodyguard.dialect.reading.Head;
import dev.bodyguard.dialect.reading.NormalPath;
import dev.bodyguard.dialect.reading.Targets;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.RateLimit;
import dev.bodyguard.model.RateLimit.Quota;
import dev.bodyguard.model.RateLimit.Rule;
import dev.bodyguard.model.StringMatch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Bodyguard's own policies: RateLimit.
public final class BodyguardPolicy implements Dialect {
    private static final long MOST = 1_000_000;

    @Override
    public List<Kind> kinds() {
        return List.of(new Kind("bodyguard.dev", "RateLimit", List.of("v1alpha1")));
    }

    @Override
    public Translation translate(Document document) {
        return Head.translate(document, (root, _, parts) -> {
            if (!root.has("spec")) {
                root.missing("spec", "is required; add it");
            }
            root.<Boolean>object("spec", spec -> {
                var target = Targets.read(spec, document);
                var rules = spec.list("rules", BodyguardPolicy::rule);
                if (!spec.has("rules") || spec.isEmptyList("rules")) {
                    spec.missing("rules", "is required; add at least one");
                }
                return parts.add(new RateLimit(target, rules, document.origin()));
            });
        });
    }

    private record Matched(Set<String> methods, @Nullable StringMatch path) {}

    private static @Nullable Rule rule(Fields rule) {
        var matched = rule.object("match", BodyguardPolicy::match);
        var requests = rule.number("requests", 1, MOST);
        if (!rule.has("requests")) {
            rule.missing("requests", "is required; say how many");
        }
        var per = rule.word("per", "second", "minute", "hour");
        if (!rule.has("per")) {
            rule.missing("per", "is required; write second, minute or hour");
        }
        var burst = rule.number("burst", 1, MOST);
        var by = rule.texts("by");
        for (var one : by) {
            if (!one.equals("principal")) {
                rule.error("by", "must be principal, or be left out for one limit on all callers, was " + one);
            }
        }
        int status = rule.number("status", 400, 599, 429);
        if (requests == null || per == null) {
            return null;
        }
        return new Rule(
                matched == null ? Set.of() : matched.methods(),
                matched == null ? null : matched.path(),
                new Quota(requests, unit(per), burst == null ? requests : burst),
                !by.isEmpty(),
                Map.of(),
                status,
                rule.origin());
    }

    private static Duration unit(String per) {
        return switch (per) {
            case "second" -> Duration.ofSeconds(1);
            case "minute" -> Duration.ofMinutes(1);
            default -> Duration.ofHours(1);
        };
    }

    private static Matched match(Fields match) {
        var methods = match.texts("methods");
        for (var method : methods) {
            if (!method.matches("[A-Z][A-Z_-]*")) {
                match.error("methods", "must be methods in upper case such as GET, was " + method);
            }
        }
        if (methods.isEmpty() && !match.has("path")) {
            match.missing("methods", "or path must be there; leave match out to limit every request", "path");
        }
        return new Matched(new HashSet<>(methods), match.object("path", BodyguardPolicy::path));
    }

    private static @Nullable StringMatch path(Fields path) {
        List<StringMatch> found = new ArrayList<>();
        for (var kind : List.of("exact", "prefix")) {
            if (path.has(kind)) {
                var text = path.text(kind);
                var normal = text.startsWith("/") ? NormalPath.whole(text) : Optional.<String>empty();
                if (normal.isEmpty()) {
                    path.error(kind, "must begin with / and have no query, fragment or broken escape, was " + text);
                }
                var spelled = normal.orElse(text).replace("%2A", "*");
                found.add(
                        kind.equals("exact") ? new StringMatch.Exact(spelled) : new StringMatch.Under(parent(spelled)));
            }
        }
        if (found.size() != 1) {
            var must = "must be exactly one of exact and prefix";
            if (found.isEmpty()) {
                path.missing("exact", must, "prefix");
            } else {
                path.error("prefix", must);
            }
            return null;
        }
        return found.getFirst();
    }

    private static String parent(String prefix) {
        return prefix.length() > 1 && prefix.endsWith("/") ? prefix.substring(0, prefix.length() - 1) : prefix;
    }
}
