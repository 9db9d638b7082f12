package dev.bodyguard.cli;

import static dev.bodyguard.cli.LocalMesh.number;
import static dev.bodyguard.cli.LocalMesh.text;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Locale;
import java.util.Map;

/// An [Explanation] for people: what is decided, and under it the line of YAML that it is due to.
final class ExplanationText {
    private final PrintStream out;

    ExplanationText(PrintStream out) {
        this.out = out;
    }

    void print(Explanation explanation) {
        var caller = explanation.caller();
        out.println(text(caller, "method") + " " + explanation.question().url() + " from " + text(caller, "workload")
                + " (" + text(caller, "principal") + ")");
        out.println();
        out.println(text(caller, "workload") + ": " + decision(caller));
        if (caller.get("fault") instanceof Map<?, ?> fault) {
            line("fault", fault(fault));
        }
        if (caller.get("refusal") instanceof Map<?, ?> refusal) {
            refusal(refusal);
        }
        if (caller.get("answer") instanceof Map<?, ?> answer) {
            answer(answer);
        }
        if (caller.get("route") instanceof Map<?, ?> route) {
            route(route);
        }
        split(caller);
        for (var callee : explanation.callees()) {
            callee(callee);
        }
        out.println();
        out.println("outcome: " + explanation.outcome());
    }

    private void line(String what, String words) {
        out.printf(Locale.ROOT, "  %-8s %s%n", what, words);
    }

    private static String decision(Map<?, ?> caller) {
        var decided = switch (text(caller, "decision")) {
            case "refuse" -> "refuses it";
            case "respond" -> "answers it";
            case "passThrough" -> "passes it on to " + text(caller, "address") + ", as it came, in plain text";
            default -> "forwards it";
        };
        return switch (text(caller, "known")) {
            case "yes" -> decided;
            case "no" -> decided + "; the mesh does not know " + text(caller, "host");
            default -> decided + "; nothing was said in time about " + text(caller, "host");
        };
    }

    private static String fault(Map<?, ?> fault) {
        var words = new ArrayList<String>();
        if (decimal(fault, "delayPercent") > 0) {
            words.add(percent(decimal(fault, "delayPercent")) + " wait " + time(number(fault, "delayMillis")));
        }
        if (decimal(fault, "abortPercent") > 0) {
            words.add(percent(decimal(fault, "abortPercent")) + " get a " + number(fault, "abortStatus"));
        }
        return String.join(", ", words) + ", on purpose";
    }

    private void refusal(Map<?, ?> refusal) {
        line("answer", number(refusal, "status") + " " + text(refusal, "flag") + ": " + text(refusal, "sentence"));
        rule(refusal);
    }

    private void answer(Map<?, ?> answer) {
        line("answer", number(answer, "status") + " " + text(answer, "location") + text(answer, "body"));
        rule(answer);
    }

    private void rule(Map<?, ?> decided) {
        if (!text(decided, "rule").isEmpty()) {
            line("rule", text(decided, "rule"));
        }
    }

    private void route(Map<?, ?> route) {
        line("rule", text(route, "rule").isEmpty() ? "none written; the service as it is" : text(route, "rule"));
        long timeout = number(route, "timeoutMillis");
        line("timeout", timeout == 0 ? "none" : time(timeout));
        if (route.get("retries") instanceof Map<?, ?> retries) {
            line("retries", retries(retries));
        }
    }

    private static String retries(Map<?, ?> retries) {
        if (number(retries, "most") == 0) {
            return "none";
        }
        var on = new ArrayList<>(Explanation.texts(retries, "on"));
        on.addAll(Explanation.texts(retries, "statuses"));
        long each = number(retries, "perTryMillis");
        return number(retries, "most") + " at most, on " + String.join(", ", on)
                + (each == 0 ? "" : "; " + time(each) + " per try");
    }

    private void split(Map<?, ?> caller) {
        var shares = Explanation.maps(caller, "split");
        double total =
                shares.stream().mapToLong(share -> number(share, "weight")).sum();
        for (var share : shares) {
            line(percent(100 * number(share, "weight") / total), text(share, "cluster"));
            if (!text(share, "policy").isEmpty()) {
                line("", "policy " + text(share, "policy"));
            }
            for (var endpoint : Explanation.maps(share, "endpoints")) {
                line("", endpoint(endpoint));
            }
            if (Boolean.TRUE.equals(share.get("panic"))) {
                line("", "so many are ejected that all are asked again");
            }
            if (!text(share, "passThrough").isEmpty()) {
                line("", "to " + text(share, "passThrough") + ", in plain text");
            }
            if (share.get("refusal") instanceof Map<?, ?> refusal) {
                line("", number(refusal, "status") + " " + text(refusal, "flag") + ": " + text(refusal, "sentence"));
            }
        }
    }

    private static String endpoint(Map<?, ?> endpoint) {
        var who = (text(endpoint, "workload") + " " + text(endpoint, "version")).strip();
        var how = text(endpoint, "transport").equals("mtls")
                ? "mutual TLS with " + String.join(" or ", Explanation.texts(endpoint, "accepted"))
                : text(endpoint, "transport") + " in plain text";
        return (who.isEmpty() ? "" : who + " at ")
                + text(endpoint, "address")
                + (Boolean.TRUE.equals(endpoint.get("healthy")) ? ", ready" : ", NOT READY")
                + but(endpoint, "ejected")
                + but(endpoint, "warming")
                + ", "
                + how;
    }

    private static String but(Map<?, ?> endpoint, String what) {
        return text(endpoint, what).isEmpty() ? "" : " but " + text(endpoint, what);
    }

    private void callee(Explanation.Callee callee) {
        out.println();
        if (!callee.unknown().isEmpty()) {
            out.println(callee.name() + ": unknown; " + callee.unknown());
            return;
        }
        var verdict = callee.verdict();
        if (verdict.isEmpty()) {
            out.println(callee.name() + ": has no sidecar, so nobody decides there");
            return;
        }
        out.println(callee.name() + ": " + (callee.refusal().isEmpty() ? "lets it in" : "refuses it"));
        if (verdict.get("refusal") instanceof Map<?, ?> refusal) {
            refusal(refusal);
        } else if (!text(verdict, "handshake").isEmpty()) {
            line("TLS", text(verdict, "handshake"));
        } else if (verdict.get("authorization") instanceof Map<?, ?> authorization) {
            line(
                    "rule",
                    text(authorization, "rule").isEmpty()
                            ? "no policy denies it, and none here says who may"
                            : text(authorization, "rule"));
        }
        for (var limit : Explanation.maps(verdict, "limits")) {
            line("limit", limit(limit));
        }
        if (verdict.get("answer") instanceof Map<?, ?> answer) {
            answer(answer);
        }
    }

    private static String limit(Map<?, ?> limit) {
        return number(limit, "requests") + " per " + window(number(limit, "windowSeconds")) + ", "
                + number(limit, "remaining") + " left now, then " + number(limit, "status") + ": "
                + text(limit, "rule");
    }

    private static String window(long seconds) {
        return switch ((int) Math.min(seconds, Integer.MAX_VALUE)) {
            case 1 -> "second";
            case 60 -> "minute";
            case 3_600 -> "hour";
            default -> seconds + " s";
        };
    }

    private static double decimal(Map<?, ?> object, String field) {
        return object.get(field) instanceof Number number ? number.doubleValue() : 0;
    }

    private static String percent(double value) {
        return value == Math.rint(value) ? (long) value + " %" : String.format(Locale.ROOT, "%.1f %%", value);
    }

    private static String time(long millis) {
        return millis % 1_000 == 0 ? millis / 1_000 + " s" : millis + " ms";
    }
}
