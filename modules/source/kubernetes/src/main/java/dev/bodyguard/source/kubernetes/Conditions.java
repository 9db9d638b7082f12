package dev.bodyguard.source.kubernetes;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A verdict as an object's status says it: in Gateway API's shape for its routes, elsewhere in Kubernetes' usual one.
/// What others wrote there stays. Pure.
final class Conditions {
    static final String CONTROLLER = "bodyguard.dev/controller";

    private static final int LONGEST = 1_024;
    private static final Set<String> OURS = Set.of("Accepted", "Programmed", "Overridden");
    /// What a condition says, whenever it began to.
    private static final String SINCE = "lastTransitionTime";

    private Conditions() {}

    /// The status that an object should have.
    ///
    /// @param object with `metadata`, `spec` and `status` as the API server tells them
    static Map<String, Object> status(Tree object, Kind kind, Verdict verdict, Instant now) {
        var status = copy(object.at("status").value());
        if (kind.isGateway()) {
            status.put("parents", parents(object, verdict, now));
        } else {
            status.put("conditions", conditions(object.items("status", "conditions"), verdict, now));
            status.put("observedGeneration", verdict.generation());
        }
        return status;
    }

    private static List<Object> parents(Tree object, Verdict verdict, Instant now) {
        var all = new ArrayList<>();
        var before = new LinkedHashMap<Object, Tree>();
        for (var parent : object.items("status", "parents")) {
            if (parent.text("controllerName").equals(CONTROLLER)) {
                before.put(parent.at("parentRef").orEmpty(), parent);
            } else {
                all.add(parent.orEmpty());
            }
        }
        for (var ref : object.items("spec", "parentRefs")) {
            if (!ref.text("kind").equals("Service")) {
                continue;
            }
            var known = before.get(ref.orEmpty());
            var parent = new LinkedHashMap<String, Object>();
            parent.put("parentRef", ref.orEmpty());
            parent.put("controllerName", CONTROLLER);
            parent.put("conditions", conditions(known == null ? List.of() : known.items("conditions"), verdict, now));
            all.add(parent);
        }
        return all;
    }

    private static List<Object> conditions(List<Tree> before, Verdict verdict, Instant now) {
        var all = new ArrayList<>();
        var ours = new LinkedHashMap<String, Tree>();
        for (var condition : before) {
            if (OURS.contains(condition.text("type"))) {
                ours.put(condition.text("type"), condition);
            } else {
                all.add(condition.orEmpty());
            }
        }
        boolean everywhere = verdict.accepted() && verdict.inForce() == verdict.proxies();
        for (var wanted : List.of(
                condition("Accepted", verdict.accepted(), verdict.accepted() ? "Accepted" : "Invalid", verdict.why()),
                condition(
                        "Programmed",
                        everywhere,
                        everywhere ? "Programmed" : verdict.accepted() ? "Pending" : "Invalid",
                        verdict.inForce() + " of " + verdict.proxies() + " proxies"),
                condition(
                        "Overridden",
                        !verdict.overridden().isEmpty(),
                        verdict.overridden().isEmpty() ? "InForce" : "Overridden",
                        verdict.overridden()))) {
            var type = String.valueOf(wanted.get("type"));
            wanted.put("observedGeneration", verdict.generation());
            wanted.put(SINCE, since(ours.get(type), wanted.get("status"), now));
            all.add(wanted);
        }
        return all;
    }

    /// A condition that says what it said has done so since then.
    private static String since(@Nullable Tree known, @Nullable Object status, Instant now) {
        if (known != null
                && known.text("status").equals(status)
                && !known.text(SINCE).isEmpty()) {
            return known.text(SINCE);
        }
        return now.truncatedTo(ChronoUnit.SECONDS).toString();
    }

    private static Map<String, Object> condition(String type, boolean status, String reason, String message) {
        var condition = new LinkedHashMap<String, Object>();
        condition.put("type", type);
        condition.put("status", status ? "True" : "False");
        condition.put("reason", reason);
        condition.put("message", message.length() > LONGEST ? message.substring(0, LONGEST - 1) + "…" : message);
        return condition;
    }

    private static Map<String, Object> copy(@Nullable Object map) {
        var copy = new LinkedHashMap<String, Object>();
        if (map instanceof Map<?, ?> entries) {
            entries.forEach((key, value) -> copy.put(String.valueOf(key), value));
        }
        return copy;
    }

    /// Whether two statuses say the same; a number may be of either size.
    static boolean same(@Nullable Object one, @Nullable Object other) {
        return switch (one) {
            case null -> other == null;
            case Number number -> other instanceof Number also && number.doubleValue() == also.doubleValue();
            case Map<?, ?> map ->
                other instanceof Map<?, ?> also
                        && map.keySet().equals(also.keySet())
                        && map.keySet().stream().allMatch(key -> same(map.get(key), also.get(key)));
            case List<?> list -> {
                if (!(other instanceof List<?> also) || also.size() != list.size()) {
                    yield false;
                }
                boolean all = true;
                for (int i = 0; i < list.size(); i++) {
                    all &= same(list.get(i), also.get(i));
                }
                yield all;
            }
            default -> one.equals(other);
        };
    }
}
