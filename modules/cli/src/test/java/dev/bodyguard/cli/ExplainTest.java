package dev.bodyguard.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ExplainTest {
    private static final Explanation.Question QUESTION =
            new Explanation.Question("GET", "http://payment-service/pay", List.of());
    private static final String FORWARDED = """
        ,"route":{"name":"","rule":"VirtualService default/payment-vs spec.http[0] (payments.yaml:11:7)",
         "timeoutMillis":0,"retries":{"most":3,"on":["5xx","reset"],"statuses":[409],"perTryMillis":2000}},
         "split":[{"cluster":"v1","weight":1,"policy":null,"endpoints":[],"refusal":
           {"status":503,"flag":"UH","sentence":"no endpoint of v1 is ready"}},
          {"cluster":"v2","weight":3,"policy":"DestinationRule default/payment-dr spec.subsets[1] (payments.yaml:30:7)",
           "endpoints":[{"address":"127.0.0.1:4001","workload":"payment-service-a","version":"v2","healthy":true,
             "available":true,"ejected":null,
             "warming":"new, so that it counts for 37 % of its weight","transport":"mtls","accepted":["spiffe://cluster.local/ns/default/sa/payment-service"]},
            {"address":"127.0.0.1:4003","workload":"payment-service-b","version":"v2","healthy":true,"available":false,
             "ejected":"ejected for 7 s more, as 5 times in a row it answered 5xx or not at all","transport":"h2c"},
            {"address":"127.0.0.1:4002","workload":"","version":"","healthy":false,"transport":"http/1.1"}],
           "refusal":null}]\
        """;

    private static String printed(Explanation explanation) {
        var printed = new ByteArrayOutputStream();
        explanation.print(new PrintStream(printed, true, StandardCharsets.UTF_8));
        return printed.toString(StandardCharsets.UTF_8);
    }

    private static Map<?, ?> caller(String known, String decision, String more) {
        var caller = Json.object("""
            {"workload":"checkout-a","principal":"spiffe://cluster.local/ns/default/sa/checkout","method":"GET",
             "host":"80/payment-service","known":"%s","decision":"%s"%s}\
            """.formatted(known, decision, more));
        assertThat(caller).isNotEmpty();
        return caller;
    }

    private static Explanation.Callee callee(String verdict) {
        var told = Json.object(verdict);
        assertThat(told).isNotEmpty();
        return new Explanation.Callee("payment-service-a", "127.0.0.1:4001", told, "");
    }

    @Test
    void everyDecisionStandsWithTheLineThatItIsDueTo() {
        var explanation = new Explanation(QUESTION, caller("yes", "forward", FORWARDED), List.of(callee("""
            {"authorization":{"allowed":true,"rule":"AuthorizationPolicy default/callers spec.rules[0] (who.yaml:7:7)"},
             "limits":[{"rule":"RateLimit default/pay spec.rules[0] (limit.yaml:8:7)","requests":3,
              "windowSeconds":60,"atOnce":3,"remaining":2,"status":429}],"refusal":null}\
            """)));

        assertThat(printed(explanation)).isEqualTo("""
            GET http://payment-service/pay from checkout-a (spiffe://cluster.local/ns/default/sa/checkout)

            checkout-a: forwards it
              rule     VirtualService default/payment-vs spec.http[0] (payments.yaml:11:7)
              timeout  none
              retries  3 at most, on 5xx, reset, 409; 2 s per try
              25 %     v1
                       503 UH: no endpoint of v1 is ready
              75 %     v2
                       policy DestinationRule default/payment-dr spec.subsets[1] (payments.yaml:30:7)
                       payment-service-a v2 at 127.0.0.1:4001, ready but new, so that it counts for 37 % of its weight, mutual TLS with spiffe://cluster.local/ns/default/sa/payment-service
                       payment-service-b v2 at 127.0.0.1:4003, ready but ejected for 7 s more, as 5 times in a row it answered 5xx or not at all, h2c in plain text
                       127.0.0.1:4002, NOT READY, http/1.1 in plain text

            payment-service-a: lets it in
              rule     AuthorizationPolicy default/callers spec.rules[0] (who.yaml:7:7)
              limit    3 per minute, 2 left now, then 429: RateLimit default/pay spec.rules[0] (limit.yaml:8:7)

            outcome: let through to payment-service-a; refused for v1
            """);
        assertThat(explanation.isComplete()).isTrue();
        assertThat(Json.write(explanation.tree())).contains("\"weight\": 3,", "\"outcome\": \"let through to");
    }

    @Test
    void aCalleesRefusalIsItsSentenceAndItsRule() {
        var explanation = new Explanation(QUESTION, caller("yes", "forward", ""), List.of(callee("""
            {"authorization":{"allowed":false,"rule":"x"},"limits":[],"refusal":{"status":403,"flag":"RBAC",
             "sentence":"RBAC: denied","rule":"AuthorizationPolicy default/no (who.yaml:3:5)"}}\
            """), callee("""
                {"authorization":{"allowed":true,"rule":null},"refusal":null,"limits":[{"rule":"RateLimit a/b",
                 "requests":1,"windowSeconds":1,"atOnce":1,"remaining":0,"status":429}]}\
                """)));

        assertThat(printed(explanation))
                .contains("""
                    payment-service-a: refuses it
                      answer   403 RBAC: RBAC: denied
                      rule     AuthorizationPolicy default/no (who.yaml:3:5)
                    """)
                .contains("  limit    1 per second, 0 left now, then 429: RateLimit a/b\n")
                .endsWith("outcome: refused by payment-service-a\n");
    }

    @Test
    void aFaultOnPurposeIsPartOfTheOutcome() {
        var fault = ",\"fault\":{\"delayMillis\":1500,\"delayPercent\":50,\"abortStatus\":503,\"abortPercent\":%s}";

        assertThat(printed(new Explanation(QUESTION, caller("yes", "respond", fault.formatted("12.5")), List.of())))
                .contains("  fault    50 % wait 1500 ms, 12.5 % get a 503, on purpose\n")
                .endsWith("outcome: in part aborted on purpose by the caller's sidecar; else answered by the caller's"
                        + " sidecar\n");
        assertThat(new Explanation(QUESTION, caller("yes", "forward", fault.formatted("100")), List.of()).outcome())
                .isEqualTo("aborted on purpose by the caller's sidecar");
    }

    @Test
    void aHostThatTheMeshDoesNotKnowIsSaidToBePassedOnOrRefused() {
        assertThat(printed(new Explanation(
                        QUESTION, caller("no", "passThrough", ",\"address\":\"payment-service:80\""), List.of())))
                .contains("checkout-a: passes it on to payment-service:80, as it came, in plain text; the mesh does not"
                        + " know 80/payment-service\n");
        assertThat(printed(new Explanation(
                        QUESTION,
                        caller(
                                "no",
                                "refuse",
                                ",\"refusal\":{\"status\":502,\"flag\":\"NR\",\"sentence\":\"only the"
                                        + " mesh\",\"rule\":null}"),
                        List.of())))
                .contains("  answer   502 NR: only the mesh\n")
                .endsWith("outcome: refused by the caller's sidecar\n");
    }

    @Test
    void whatNobodyTellsIsUnknownAndNotComplete() {
        var explanation = new Explanation(
                QUESTION,
                caller("yes", "forward", FORWARDED),
                List.of(new Explanation.Callee(
                        "payment-service-a", "10.0.0.1:1", Map.of(), "its sidecar is not on this machine")));

        assertThat(explanation.isComplete()).isFalse();
        assertThat(printed(explanation)).contains("payment-service-a: unknown; its sidecar is not on this machine\n");
    }

    @Test
    void whoAsksIsFoundByWorkloadOrServiceAmongThoseThatRun(@TempDir Path state) throws Exception {
        write(
                state,
                "checkout-a",
                "default",
                "checkout",
                ProcessHandle.current().pid());
        write(state, "checkout-b", "default", "checkout", Long.MAX_VALUE);
        write(state, "web-a", "default", "web", ProcessHandle.current().pid());
        write(state, "web-b", "shop", "web", ProcessHandle.current().pid());
        var all = LocalSidecar.in(state);

        assertThat(LocalSidecar.called("checkout", state, all).name()).isEqualTo("checkout-a");
        assertThat(LocalSidecar.called("web-b", state, all).name()).isEqualTo("web-b");
        assertThat(LocalSidecar.called("web.shop", state, all).name()).isEqualTo("web-b");
        assertThatThrownBy(() -> LocalSidecar.called("web", state, all))
                .isInstanceOf(Failure.class)
                .hasMessageContaining("the namespaces default, shop; say which, such as web.default");
        assertThatThrownBy(() -> LocalSidecar.called("checkout-b", state, all))
                .isInstanceOf(Failure.class)
                .hasMessageContaining("no sidecar of 'checkout-b' runs on " + state + "; there are checkout-a (service"
                        + " checkout), web-a");
    }

    private static void write(Path state, String name, String namespace, String service, long pid) throws Exception {
        var folder = Files.createDirectories(state.resolve("sidecars").resolve(name));
        Files.writeString(
                folder.resolve("sidecar.json"),
                "{\"pid\":" + pid + ",\"admin\":\"127.0.0.1:1\",\"inbound\":\"127.0.0.1:2\",\"spiffeId\":"
                        + "\"spiffe://cluster.local/ns/" + namespace + "/sa/" + service + "\"}");
    }
}
