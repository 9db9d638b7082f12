package dev.bodyguard.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.dialect.Dialects;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.Workload;
import dev.bodyguard.source.files.Yaml;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DoubtsTest {
    private static final long SECOND = Duration.ofSeconds(1).toNanos();
    private static final String ROUTE = """
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: pay}
            spec:
              hosts: [payments]
              http: [{route: [{destination: {host: payments}}]}]
            """;

    private final Names names = new Names();
    private final Doubts doubts = new Doubts(Duration.ofSeconds(30), names);

    @Test
    void aNameThatNobodyHasIsToldOfAfterAWhile() {
        look(mesh(ROUTE), 0);

        assertThat(doubts.told(29 * SECOND)).isEmpty();
        assertThat(doubts.next(29 * SECOND)).isEqualTo(SECOND);
        look(mesh(ROUTE), 29 * SECOND);
        assertThat(doubts.told(30 * SECOND))
                .singleElement()
                .asString()
                .contains("given.yaml:6:", "spec.http[0].route[0].destination", "nobody knows payments.default.svc");
        assertThat(doubts.next(30 * SECOND)).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void whatIsKnownByThenIsNoTypoNorIsWhatWasKnownOnce() {
        look(mesh(ROUTE), 0);
        look(mesh(ROUTE, workload()), 10 * SECOND);
        look(mesh(ROUTE), 20 * SECOND);

        assertThat(doubts.told(90 * SECOND)).isEmpty();
    }

    @Test
    void aServiceAndAnAccountAreKnownBeforeTheirWorkloads() {
        look(mesh(ROUTE + """
                ---
                apiVersion: v1
                kind: ServiceAccount
                metadata: {name: payments}
                """), 0);

        assertThat(doubts.told(90 * SECOND)).isEmpty();
    }

    @Test
    void whatItsDocumentTookAlongIsToldAtOnce() {
        var entry = """
                ---
                apiVersion: networking.istio.io/v1
                kind: ServiceEntry
                metadata: {name: payments}
                spec: {hosts: [payments], ports: [{number: 80, name: http}]}
                """;
        look(mesh(ROUTE + entry), 0);
        assertThat(doubts.next(0)).isEqualTo(Long.MAX_VALUE);

        look(mesh(ROUTE), SECOND);

        assertThat(doubts.told(SECOND))
                .singleElement()
                .asString()
                .contains("given.yaml:6:", "nobody knows payments.default.svc", "requests routed there get a 503");

        look(mesh(ROUTE + entry), 2 * SECOND);

        assertThat(doubts.told(90 * SECOND)).isEmpty();
    }

    @Test
    void aCorrectedRuleIsForgotten() {
        look(mesh(ROUTE), 0);
        look(mesh(""), 40 * SECOND);

        assertThat(doubts.told(90 * SECOND)).isEmpty();
    }

    @Test
    void whatRulesAndPoliciesAreAboutIsNamedToo() {
        look(
                mesh(
                        ROUTE.replace("hosts: [payments]", "hosts: [paymenst, payments, api.example.com]") + """
                ---
                apiVersion: networking.istio.io/v1
                kind: DestinationRule
                metadata: {name: pay}
                spec: {host: payment}
                ---
                apiVersion: networking.istio.io/v1
                kind: DestinationRule
                metadata: {name: outside}
                spec: {host: example.com}
                ---
                apiVersion: networking.istio.io/v1
                kind: DestinationRule
                metadata: {name: half}
                spec: {host: payment.default}
                """,
                        workload()),
                0);

        assertThat(doubts.told(30 * SECOND))
                .extracting(Object::toString)
                .containsExactly(
                        "given.yaml:5:11: VirtualService default/pay: spec.hosts[0]: nobody knows"
                                + " paymenst.default.svc.cluster.local: no Service, ServiceEntry, service account or"
                                + " workload has that name; these rules hold for requests to that name only. Did"
                                + " you mean payments?",
                        "given.yaml:11:14: DestinationRule default/pay: spec.host: nobody knows"
                                + " payment.default.svc.cluster.local: no Service, ServiceEntry, service account or"
                                + " workload has that name; this holds for nobody. Did you mean payments?",
                        "given.yaml:21:14: DestinationRule default/half: spec.host: nobody knows payment.default: no"
                                + " Service, ServiceEntry, service account or workload has that name; this holds for"
                                + " nobody. Did you mean payments?");
    }

    @Test
    void aSubsetThatNoInstanceIsInIsToldWhereItIsDefined() {
        var route = ROUTE.replace(
                "{host: payments}}",
                "{host: payments, subset: v2}, weight: 10},"
                        + " {destination: {host: payments, subset: v3}, weight: 0}");
        var rule = """
                ---
                apiVersion: networking.istio.io/v1
                kind: DestinationRule
                metadata: {name: pay}
                spec:
                  host: payments
                  subsets:
                    - {name: v2, labels: {version: v22}}
                    - {name: v3, labels: {version: v3}}
                """;
        look(mesh(route + rule), 0);
        assertThat(doubts.next(0)).as("without any instance it is no typo").isEqualTo(30 * SECOND);

        look(mesh(route + rule, workload()), SECOND);

        assertThat(doubts.told(30 * SECOND)).isEmpty();
        assertThat(doubts.told(31 * SECOND))
                .extracting(Object::toString)
                .containsExactly("given.yaml:14:7: DestinationRule default/pay: spec.subsets[0]: no instance of"
                        + " payments.default.svc.cluster.local has the labels of subset v2, {version=v22}, but"
                        + " {version=v1}; requests routed there get a 503. Correct the labels, or start such an"
                        + " instance");

        look(mesh(route + rule.replace("v22", "v1"), workload()), 40 * SECOND);
        assertThat(doubts.told(90 * SECOND)).isEmpty();
    }

    @Test
    void aPolicyThatIsAboutNobodyIsToldWhereItSaysWhomItIsAbout() {
        var policies = """
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: pay}
                spec: {action: DENY, rules: [{}], selector: {matchLabels: {app: paymnets}}}
                ---
                apiVersion: security.istio.io/v1
                kind: PeerAuthentication
                metadata: {name: all, namespace: defautl}
                spec: {mtls: {mode: STRICT}}
                ---
                apiVersion: security.istio.io/v1
                kind: PeerAuthentication
                metadata: {name: pay}
                spec: {mtls: {mode: STRICT}, selector: {matchLabels: {ap: payments}}}
                ---
                apiVersion: bodyguard.dev/v1alpha1
                kind: RateLimit
                metadata: {name: pay}
                spec:
                  targetRef: {kind: Service, name: paymnets}
                  rules: [{requests: 1, per: second}]
                ---
                apiVersion: policy.linkerd.io/v1alpha1
                kind: HTTPLocalRateLimitPolicy
                metadata: {name: pay}
                spec:
                  targetRef: {group: policy.linkerd.io, kind: Server, name: pay}
                  total: {requestsPerSecond: 1}
                ---
                apiVersion: policy.linkerd.io/v1beta3
                kind: Server
                metadata: {name: pay-http}
                spec:
                  port: 80
                  accessPolicy: all-unauthenticated
                  podSelector: {matchLabels: {app: payments, version: canary-of-july}}
                ---
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: everywhere, namespace: bodyguard-system}
                spec: {selector: {matchLabels: {app: ledger-of-all-accounts}}}
                """;
        look(mesh(policies, workload()), 0);

        assertThat(doubts.told(29 * SECOND)).isEmpty();
        assertThat(doubts.told(30 * SECOND))
                .extracting(Object::toString)
                .containsExactly(
                        "given.yaml:20:36: RateLimit default/pay: spec.targetRef.name: nobody knows"
                                + " paymnets.default.svc.cluster.local: no Service, ServiceEntry, service account or"
                                + " workload has that name; this holds for nobody. Did you mean payments?",
                        "given.yaml:4:59: AuthorizationPolicy default/pay: spec.selector.matchLabels: namespace default"
                                + " has no workload with the labels app=paymnets; this holds for nobody. Did you mean"
                                + " app=payments?",
                        "given.yaml:8:34: PeerAuthentication defautl/all: metadata.namespace: namespace defautl has no"
                                + " workload; this holds for nobody. Did you mean default?",
                        "given.yaml:14:54: PeerAuthentication default/pay: spec.selector.matchLabels: namespace default"
                                + " has no workload with the labels ap=payments; this holds for nobody. Did you mean"
                                + " app=payments?",
                        "given.yaml:27:61: HTTPLocalRateLimitPolicy default/pay: spec.targetRef.name: namespace default"
                                + " has no Server pay; this holds for nobody. Correct that, or add that Server",
                        "given.yaml:36:16: Server default/pay-http: spec.podSelector: namespace default has no workload"
                                + " with the labels app=payments,version=canary-of-july, but with"
                                + " app=payments,version=v1; this holds for nobody. Correct that, or start such a"
                                + " workload",
                        "given.yaml:41:32: AuthorizationPolicy bodyguard-system/everywhere: spec.selector.matchLabels:"
                                + " the mesh has no workload with the labels app=ledger-of-all-accounts, but with"
                                + " app=payments; this holds for nobody. Correct that, or start such a workload");
    }

    @Test
    void aPolicyThatWasAboutSomebodyOnceOrIsWhereNobodyIsIsNotDoubted() {
        var policy = """
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: pay}
                spec: {selector: {matchLabels: {app: payments}}}
                """;
        look(mesh(policy.replace("payments", "other")), 0);
        assertThat(doubts.next(0)).as("without any workload").isEqualTo(Long.MAX_VALUE);

        look(mesh(policy, workload()), SECOND);
        look(mesh(policy, other()), 2 * SECOND);
        assertThat(doubts.told(90 * SECOND)).as("its workloads are away").isEmpty();

        look(mesh(policy.replace("payments", "payment"), other()), 90 * SECOND);
        assertThat(doubts.told(120 * SECOND)).hasSize(1);
    }

    private static Workload other() {
        return Workload.registered("default", "web-1", "web", "web", Map.of(), "127.0.0.1", Map.of(80, 8081), true);
    }

    private void look(Mesh mesh, long now) {
        names.look(mesh);
        doubts.look(mesh, now);
    }

    private static Mesh mesh(String yaml, Part... more) {
        var parts = new ArrayList<Part>();
        for (var document : Yaml.parse("given.yaml", yaml).documents()) {
            parts.addAll(Dialects.all().translate(document).parts());
        }
        parts.addAll(java.util.List.of(more));
        return Mesh.of(parts);
    }

    private static Workload workload() {
        return Workload.registered(
                "default",
                "payments-1",
                "payments",
                "payments",
                Map.of("version", "v1"),
                "127.0.0.1",
                Map.of(80, 8080),
                true);
    }
}
