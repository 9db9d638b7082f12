package dev.bodyguard.cli;

import java.io.PrintStream;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// What the sidecars on both sides of a request say that they would do with it. The decisions are theirs; here they are
/// only put together.
///
/// @param caller what the sidecar of whoever asks decides, as it tells it
/// @param callees one for each endpoint that the request could go to
record Explanation(Question question, Map<?, ?> caller, List<Callee> callees) {
    private static final Duration PATIENCE_FOR_AN_UNKNOWN_HOST = Duration.ofSeconds(2);
    private static final String ASKED_NOW = "not known yet, asked now";

    Explanation {
        callees = List.copyOf(callees);
    }

    /// The request.
    record Question(String method, String url, List<String> headers) {
        Question {
            headers = List.copyOf(headers);
        }
    }

    /// One endpoint's side of it.
    ///
    /// @param verdict what its sidecar tells; empty where it tells nothing
    /// @param unknown why it tells nothing; empty where it does, and where there is nothing to tell
    record Callee(String workload, String address, Map<?, ?> verdict, String unknown) {
        /// Why the request would be refused here, empty where it would not.
        String refusal() {
            if (verdict.get("refusal") instanceof Map<?, ?> refusal) {
                return LocalMesh.number(refusal, "status") + " " + LocalMesh.text(refusal, "sentence");
            }
            var handshake = LocalMesh.text(verdict, "handshake");
            if (!handshake.isEmpty()) {
                return handshake;
            }
            for (var limit : maps(verdict, "limits")) {
                if (LocalMesh.number(limit, "remaining") == 0) {
                    return LocalMesh.number(limit, "status") + " nothing is left of " + LocalMesh.text(limit, "rule");
                }
            }
            return "";
        }

        String name() {
            return workload.isEmpty() ? address : workload;
        }
    }

    /// Asks whoever is concerned.
    static Explanation of(Path state, String from, Question question) {
        LocalMesh.mustBeThere(state);
        var sidecars = LocalSidecar.in(state);
        var asking = LocalSidecar.called(from, state, sidecars);
        try (var http = LocalMesh.client()) {
            var caller = caller(http, asking, question);
            var callees = new ArrayList<Callee>();
            for (var share : maps(caller, "split")) {
                for (var endpoint : maps(share, "endpoints")) {
                    if (LocalMesh.number(share, "weight") > 0 && Boolean.TRUE.equals(endpoint.get("available"))) {
                        callees.add(callee(http, sidecars, caller, share, endpoint));
                    }
                }
            }
            return new Explanation(question, caller, callees);
        }
    }

    private static Map<?, ?> caller(HttpClient http, LocalSidecar asking, Question question) {
        var page = new StringBuilder("/explain?method=").append(encoded(question.method()));
        page.append("&url=").append(encoded(question.url()));
        question.headers().forEach(header -> page.append("&header=").append(encoded(header)));
        long until = System.nanoTime() + PATIENCE_FOR_AN_UNKNOWN_HOST.toNanos();
        while (true) {
            var reply = LocalMesh.get(http, asking.admin(), page.toString());
            var told = Json.object(reply.body());
            if (reply.status() != 200 || told.isEmpty()) {
                throw new Failure("the sidecar of " + asking.name() + " does not say what it would do: "
                        + (reply.body().isBlank()
                                ? "status " + reply.status()
                                : reply.body().strip()));
            }
            if (!LocalMesh.text(told, "known").equals(ASKED_NOW) || System.nanoTime() > until) {
                return told;
            }
            pause();
        }
    }

    private static void pause() {
        try {
            Thread.sleep(50);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            throw new Failure("interrupted");
        }
    }

    private static Callee callee(
            HttpClient http, List<LocalSidecar> sidecars, Map<?, ?> caller, Map<?, ?> share, Map<?, ?> endpoint) {
        var workload = LocalMesh.text(endpoint, "workload");
        var address = LocalMesh.text(endpoint, "address");
        if (!LocalMesh.text(endpoint, "transport").equals("mtls")) {
            return new Callee(workload, address, Map.of(), "");
        }
        // A name may be used again on another machine, an address may not at the same time.
        var there = sidecars.stream()
                .filter(one -> one.name().equals(workload) && one.inbound().equals(address))
                .findFirst();
        if (there.isEmpty()) {
            return new Callee(workload, address, Map.of(), "its sidecar is not on this machine, at " + address);
        }
        var sent = share.get("sent") instanceof Map<?, ?> head ? head : Map.of();
        var page = new StringBuilder("/explain-inbound?method=").append(encoded(LocalMesh.text(caller, "method")));
        page.append("&principal=").append(encoded(LocalMesh.text(caller, "principal")));
        page.append("&authority=").append(encoded(LocalMesh.text(sent, "authority")));
        page.append("&path=").append(encoded(LocalMesh.text(sent, "path")));
        texts(sent, "headers").forEach(header -> page.append("&header=").append(encoded(header)));
        var reply = LocalMesh.get(http, there.get().admin(), page.toString());
        var told = Json.object(reply.body());
        return reply.status() == 200 && !told.isEmpty()
                ? new Callee(workload, address, told, "")
                : new Callee(
                        workload,
                        address,
                        Map.of(),
                        "its sidecar, pid " + there.get().pid() + ", does not tell on "
                                + there.get().admin() + ": " + reply.body().strip());
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    /// Whether everybody who decides was heard.
    boolean isComplete() {
        return callees.stream().allMatch(callee -> callee.unknown().isEmpty());
    }

    Map<String, @Nullable Object> tree() {
        var tree = new LinkedHashMap<String, @Nullable Object>();
        tree.put("outcome", outcome());
        tree.put("caller", caller);
        tree.put("callees", callees.stream().map(Explanation::tree).toList());
        return tree;
    }

    private static Map<String, @Nullable Object> tree(Callee callee) {
        var tree = new LinkedHashMap<String, @Nullable Object>();
        tree.put("workload", callee.workload());
        tree.put("address", callee.address());
        tree.put("refused", callee.refusal());
        tree.put("unknown", callee.unknown());
        tree.put("verdict", callee.verdict());
        return tree;
    }

    /// How it would end, in one sentence.
    String outcome() {
        var fault = caller.get("fault") instanceof Map<?, ?> injected ? injected : Map.of();
        if (fault.get("abortPercent") instanceof Number percent && percent.doubleValue() > 0) {
            var aborted = "aborted on purpose by the caller's sidecar";
            return percent.doubleValue() >= 100 ? aborted : "in part " + aborted + "; else " + unharmed();
        }
        return unharmed();
    }

    private String unharmed() {
        return switch (LocalMesh.text(caller, "decision")) {
            case "refuse" -> "refused by the caller's sidecar";
            case "respond" -> "answered by the caller's sidecar";
            case "passThrough" -> "passed on to " + LocalMesh.text(caller, "address") + ", which is not of the mesh";
            default -> forwarded();
        };
    }

    private String forwarded() {
        var ends = new ArrayList<String>();
        var through = new ArrayList<String>();
        for (var share : shares()) {
            if (share.get("refusal") instanceof Map<?, ?>) {
                ends.add("refused for " + LocalMesh.text(share, "cluster"));
            } else if (!LocalMesh.text(share, "passThrough").isEmpty()) {
                through.add(LocalMesh.text(share, "passThrough"));
            }
        }
        for (var callee : callees) {
            if (!callee.unknown().isEmpty()) {
                ends.add("unknown at " + callee.name());
            } else if (callee.refusal().isEmpty()) {
                through.add(callee.name());
            } else {
                ends.add("refused by " + callee.name());
            }
        }
        if (!through.isEmpty()) {
            ends.addFirst("let through to " + through.stream().distinct().collect(Collectors.joining(" or ")));
        }
        return ends.stream().distinct().collect(Collectors.joining("; "));
    }

    private List<Map<?, ?>> shares() {
        return maps(caller, "split").stream()
                .filter(share -> LocalMesh.number(share, "weight") > 0)
                .toList();
    }

    void print(PrintStream out) {
        new ExplanationText(out).print(this);
    }

    /// The objects in an array of an object, none where it is none.
    static List<Map<?, ?>> maps(Map<?, ?> object, String field) {
        var maps = new ArrayList<Map<?, ?>>();
        if (object.get(field) instanceof List<?> list) {
            for (var item : list) {
                if (item instanceof Map<?, ?> map) {
                    maps.add(map);
                }
            }
        }
        return maps;
    }

    /// The texts in an array of an object, others as JSON writes them.
    static List<String> texts(Map<?, ?> object, String field) {
        return object.get(field) instanceof List<?> list
                ? list.stream().map(String::valueOf).toList()
                : List.of();
    }
}
