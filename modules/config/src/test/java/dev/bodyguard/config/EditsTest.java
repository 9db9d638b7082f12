package dev.bodyguard.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.dialect.Dialects;
import dev.bodyguard.model.AuthorizationPolicy;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.HttpRoutes;
import dev.bodyguard.model.HttpRule.Destination;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Workload;
import dev.bodyguard.source.files.Yaml;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What an edit does to what is in force: of the YAML of a file, with the workloads that are there.
class EditsTest {
    private static final String RULE = """
            apiVersion: networking.istio.io/v1alpha3
            kind: DestinationRule
            metadata: {name: pay}
            spec:
              host: pay
              subsets:
                - {name: v1, labels: {version: v1}}
                - {name: v2, labels: {version: v2}}
            """;
    private static final String ROUTE = """
            ---
            apiVersion: networking.istio.io/v1alpha3
            kind: VirtualService
            metadata: {name: pay}
            spec:
              hosts: [pay]
              http:
                - route:
                    - destination:
                        host: pay
                        subset: v2
            """;
    private static final String POLICY = """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: pay}
            spec:
              selector: {matchLabels: {app: pay}}
              rules: [{from: [{source: {serviceAccounts: [checkout]}}]}]
            """;
    private static final String ENTRY = """
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: bank}
            spec:
              hosts: [api.example.com]
              ports: [{number: 80, name: http}]
            """;
    private static final String OUTWARD = """
            ---
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: bank}
            spec:
              hosts: [bank]
              http:
                - route: [{destination: {host: api.example.com}}]
            """;
    private static final String HTTP_ROUTE = """
            apiVersion: gateway.networking.k8s.io/v1
            kind: HTTPRoute
            metadata: {name: pay}
            spec:
              parentRefs: [{group: "", kind: Service, name: pay}]
              rules:
                - backendRefs: [{name: pay, port: 80}]
            """;
    private static final String SPLIT = """
            ---
            apiVersion: split.smi-spec.io/v1alpha2
            kind: TrafficSplit
            metadata: {name: pay}
            spec:
              service: pay
              backends:
                - {service: pay, weight: 1}
            """;
    private static final String PAY = "pay.default.svc.cluster.local";
    private static final String STAYS = "refused, GOOD: ";

    private final Diary diary = new Diary();
    private final Documents documents = new Documents(Dialects.all(), diary);
    private final Names names = new Names();
    private Map<String, Document> saved = Map.of();
    private List<Workload> workloads = List.of(workload("pay"));
    private Mesh mesh = Mesh.of(List.of());
    private long generation;

    // A kind, a group or a version that is misspelt.

    @Test
    void aMisspeltKindIsAVersionOfWhatWasMeant() {
        save(RULE + ROUTE);

        save(RULE + ROUTE.replace("VirtualService", "VirtualServce"));

        assertThat(diary.read())
                .containsExactly(STAYS
                        + "a.yaml:11:7: VirtualServce default/pay: kind: there is no VirtualServce in"
                        + " networking.istio.io/v1alpha3; did you mean VirtualService?");
        assertThat(leads()).containsExactly("pay v2");
        assertThat(documents.size()).isEqualTo(2);

        save(RULE + ROUTE.replace("subset: v2", "subset: v1"));

        assertThat(diary.read()).containsExactly("applied: pay");
        assertThat(leads()).containsExactly("pay v1");
    }

    @Test
    void aMisspeltVersionAndAMisspeltGroupAreVersionsOfWhatWasMeant() {
        save(RULE + ROUTE);

        save(RULE + ROUTE.replace("v1alpha3", "v1alpha33"));
        assertThat(diary.read())
                .containsExactly(STAYS
                        + "a.yaml:10:13: VirtualService default/pay: apiVersion: must be networking.istio.io/v1,"
                        + " v1beta1 or v1alpha3, was networking.istio.io/v1alpha33; did you mean"
                        + " networking.istio.io/v1alpha3?");
        save(RULE + ROUTE.replace("istio.io/", "istio.i/"));
        assertThat(diary.read()).hasSize(1).allMatch(line -> line.startsWith(STAYS + "a.yaml:10:13: "));
        save(RULE + ROUTE.replace("networking", "security"));
        assertThat(diary.read()).hasSize(1).allMatch(line -> line.startsWith(STAYS + "a.yaml:10:13: "));

        assertThat(leads()).containsExactly("pay v2");
    }

    @Test
    void aMisspeltCopyDisplacesNothing() {
        save(RULE + ROUTE);

        save(RULE + ROUTE + ROUTE.replace("VirtualService", "VirtualServce").replace("subset: v2", "subset: v1"));

        assertThat(diary.read())
                .singleElement()
                .asString()
                .startsWith("refused, NOTHING: a.yaml:22:7: VirtualServce default/pay: kind: ");
        assertThat(documents.problems()).hasSize(1);
        assertThat(leads()).containsExactly("pay v2");

        save(RULE + ROUTE.replace("subset: v2", "subset: v1"));

        assertThat(documents.problems()).isEmpty();
        assertThat(leads()).containsExactly("pay v1");
    }

    @Test
    void aMisspeltKindWhoseRightOneGoesAGenerationLaterIsAVersionOfItToo() {
        save(RULE + ROUTE);
        var right = saved.keySet().stream()
                .filter(name -> name.contains("VirtualService"))
                .toList();

        add(ROUTE.replace("VirtualService", "VirtualServce"));
        documents.take(Map.of(), right);
        mesh = documents.settle(workloads, names, ++generation);

        assertThat(leads()).containsExactly("pay v2");
        assertThat(diary.read()).hasSize(2).last().asString().startsWith(STAYS);
    }

    @Test
    void whatIsRemovedWhileItIsMisspeltIsRemoved() {
        save(RULE + ROUTE);
        save(RULE + ROUTE.replace("VirtualService", "VirtualServce"));

        save(RULE);

        assertThat(leads()).isEmpty();
        assertThat(documents.problems()).isEmpty();
    }

    @Test
    void aMisspeltPolicyStaysInForceAndOneThatNeverWasLetsNobodyIn() {
        save(POLICY);
        save(POLICY.replace("AuthorizationPolicy", "AuthorisationPolicy"));

        assertThat(diary.read()).singleElement().asString().startsWith(STAYS);
        assertThat(mesh.authorizationPolicies("default", "pay", Map.of(), 80))
                .extracting(AuthorizationPolicy::action)
                .containsExactly(AuthorizationPolicy.Action.ALLOW);

        save("");
        diary.read();
        save(POLICY.replace("AuthorizationPolicy", "AuthorisationPolicy"));

        assertThat(diary.read()).singleElement().asString().startsWith("refused, CLOSED: ");
        assertThat(mesh.authorizationPolicies("default", "pay", Map.of(), 80))
                .extracting(AuthorizationPolicy::action)
                .containsExactly(AuthorizationPolicy.Action.DENY);
        assertThat(mesh.authorizationPolicies("default", "refund", Map.of(), 80))
                .isEmpty();
    }

    // An edit that leads to what nobody knows.

    @Test
    void aHostThatNobodyKnowsWaitsAndIsAppliedOnceSomebodyHasIt() {
        save(RULE + ROUTE);

        save(RULE + ROUTE.replace("  host: pay", "  host: pai"));

        assertThat(diary.read())
                .containsExactly(STAYS
                        + "a.yaml:18:19: VirtualService default/pay: spec.http[0].route[0].destination.host: nobody"
                        + " knows pai.default.svc.cluster.local; did you mean pay? This version waits until a Service,"
                        + " ServiceEntry, service account or workload has that name");
        assertThat(leads()).containsExactly("pay v2");

        run(workload("pay"), workload("other"));
        assertThat(diary.read()).isEmpty();
        save(RULE + ROUTE.replace("  host: pay", "  host: pai").replace("            subset: v2\n", ""));
        assertThat(diary.read()).hasSize(1);
        run(workload("pay"), workload("pai"));

        assertThat(diary.read()).containsExactly("applied: pay");
        assertThat(leads()).containsExactly("pai ");
        assertThat(documents.problems()).isEmpty();
    }

    @Test
    void aRuleForAHostThatNobodyKnowsKeepsItsSubsets() {
        save(RULE + ROUTE);

        save(RULE.replace("host: pay", "host: payments") + ROUTE.replace("subset: v2", "subset: v1"));

        assertThat(diary.read())
                .singleElement()
                .asString()
                .startsWith(STAYS
                        + "a.yaml:5:9: DestinationRule default/pay: spec.host: nobody knows"
                        + " payments.default.svc.cluster.local; correct it, or add what it names. This version waits");
        assertThat(mesh.problems()).isEmpty();
        assertThat(leads()).as("the route goes by the rule that stays").containsExactly("pay v1");
    }

    @Test
    void aNameWithoutTheMeshesEndIsToldWhatItMeans() {
        save(RULE + ROUTE);

        for (var written : List.of("pai.default", "pay.default.svc")) {
            save(RULE.replace("host: pay", "host: " + written) + ROUTE);

            assertThat(diary.read())
                    .singleElement()
                    .asString()
                    .startsWith(STAYS
                            + "a.yaml:5:9: DestinationRule default/pay: spec.host: nobody knows " + written
                            + "; did you mean pay?");
        }
    }

    @Test
    void aSubsetThatNobodyDefinesWaitsForItsRule() {
        save(RULE + ROUTE);

        save(RULE + ROUTE.replace("subset: v2", "subset: v3"));

        assertThat(diary.read())
                .containsExactly(STAYS
                        + "a.yaml:19:21: VirtualService default/pay: spec.http[0].route[0].destination.subset: no"
                        + " DestinationRule defines subset v3 of pay.default.svc.cluster.local; did you mean v1? This"
                        + " version waits until one does");
        assertThat(leads()).containsExactly("pay v2");
        assertThat(mesh.problems()).isEmpty();

        save(RULE.replace("{name: v1", "{name: v3") + ROUTE.replace("subset: v2", "subset: v3"));

        assertThat(diary.read()).containsExactly("applied: pay");
        assertThat(leads()).containsExactly("pay v3");
    }

    @Test
    void bothInOneGenerationGoTogether() {
        save(RULE + ROUTE);

        save(RULE.replace("v2", "v3") + ROUTE.replace("subset: v2", "subset: v3"));

        assertThat(diary.read()).isEmpty();
        assertThat(leads()).containsExactly("pay v3");
    }

    @Test
    void aVersionThatWaitsGivesWayToTheNext() {
        save(RULE + ROUTE);
        save(RULE + ROUTE.replace("subset: v2", "subset: v3"));
        diary.read();

        save(RULE + ROUTE.replace("subset: v2", "subset: v1"));

        assertThat(diary.read()).containsExactly("applied: pay");
        assertThat(leads()).containsExactly("pay v1");

        save(RULE + ROUTE.replace("subset: v2", "subset: v3"));
        save(RULE);

        assertThat(leads()).isEmpty();
        assertThat(documents.problems()).isEmpty();
    }

    @Test
    void rulesThatTurnFromANameToOneThatNobodyHasWait() {
        save(RULE + ROUTE);

        save(RULE + ROUTE.replace("hosts: [pay]", "hosts: [pai]"));

        assertThat(diary.read())
                .containsExactly(STAYS
                        + "a.yaml:14:11: VirtualService default/pay: spec.hosts[0]: nobody knows"
                        + " pai.default.svc.cluster.local; did you mean pay? This version waits until a Service,"
                        + " ServiceEntry, service account or workload has that name");
        assertThat(mesh.routes("pay.default.svc.cluster.local", "default", 80)).isPresent();

        save(RULE + ROUTE.replace("hosts: [pay]", "hosts: [api.example.com]"));

        assertThat(diary.read()).as("that is nobody's business here").containsExactly("applied: pay");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "pay.default",
                "pay.default.svc",
                "pay.defalt",
                "pay.default.svc.cluster.locl",
                "pay.default.scv.cluster.local",
                "'*.pay'"
            })
    void aNameOfTheMeshWithAWrongEndWaits(String host) {
        save(RULE + ROUTE);

        save(RULE + ROUTE.replace("hosts: [pay]", "hosts: [" + host + "]"));

        assertThat(diary.read())
                .singleElement()
                .asString()
                .startsWith(STAYS + "a.yaml:14:11: VirtualService default/pay: spec.hosts[0]: nobody knows ")
                .contains("; did you mean pay?");
        assertThat(mesh.routes(PAY, "default", 80)).isPresent();
    }

    @Test
    void whatMovesToANamespaceThatNobodyIsInWaits() {
        save(RULE + ROUTE + "---\n" + POLICY);

        for (var moved : List.of(RULE, ROUTE, POLICY)) {
            var wrong = moved.replace("{name: pay}", "{name: pay, namespace: defualt}");
            save((RULE + ROUTE + "---\n" + POLICY).replace(moved, wrong));

            assertThat(diary.read())
                    .hasSize(2)
                    .allMatch(line -> line.startsWith(STAYS))
                    .anyMatch(
                            line -> line.endsWith(" defualt/pay: nobody is in namespace defualt; did you mean default?"
                                    + " This version waits until a Service, service account or workload is there"))
                    .anyMatch(line -> line.contains(" default/pay: is gone from its file, "));
            assertThat(leads()).containsExactly("pay v2");
            assertThat(mesh.routes(PAY, "default", 80)).isPresent();
            assertThat(mesh.authorizationPolicies("default", "pay", Map.of(), 80))
                    .hasSize(1);

            save(RULE + ROUTE + "---\n" + POLICY);
            assertThat(documents.problems()).isEmpty();
            assertThat(documents.size()).isEqualTo(3);
            diary.read();
        }
    }

    @Test
    void whatMovesToANamespaceInWhichSomebodyIsMoves() {
        run(
                workload("pay"),
                Workload.registered("defualt", "pay-1", "pay", "pay", Map.of(), "127.0.0.1", Map.of(80, 8080), true));
        save(POLICY);

        save(POLICY.replace("{name: pay}", "{name: pay, namespace: defualt}"));

        assertThat(diary.read()).isEmpty();
        assertThat(mesh.authorizationPolicies("defualt", "pay", Map.of(), 80)).hasSize(1);
        assertThat(mesh.authorizationPolicies("default", "pay", Map.of(), 80)).isEmpty();
    }

    @Test
    void aDocumentThatIsRenamedAndLeadsNowhereAtOnceWaits() {
        save(RULE + ROUTE);

        save(RULE + ROUTE.replace("{name: pay}", "{name: payments}").replace("hosts: [pay]", "hosts: [pai]"));

        assertThat(diary.read())
                .hasSize(2)
                .anyMatch(line -> line.contains("VirtualService default/payments: spec.hosts[0]: nobody knows"))
                .anyMatch(line -> line.contains("VirtualService default/pay: is gone from its file"));
        assertThat(mesh.routes(PAY, "default", 80)).isPresent();

        save(RULE + ROUTE.replace("{name: pay}", "{name: payments}"));

        assertThat(documents.problems()).isEmpty();
        assertThat(documents.size()).isEqualTo(2);
        assertThat(leads()).containsExactly("pay v2");
    }

    @Test
    void whatRoutesOfOtherLanguagesAreAboutIsNoOther() {
        save(HTTP_ROUTE + SPLIT);

        save(HTTP_ROUTE.replace("kind: Service, name: pay", "kind: Service, name: pai")
                + SPLIT.replace("  service: pay\n", "  service: pai\n"));

        assertThat(diary.read())
                .hasSize(2)
                .anyMatch(line -> line.startsWith(STAYS
                        + "a.yaml:5:49: HTTPRoute default/pay: spec.parentRefs[0].name: nobody knows"
                        + " pai.default.svc.cluster.local; did you mean pay?"))
                .anyMatch(line -> line.startsWith(STAYS
                        + "a.yaml:13:12: TrafficSplit default/pay: spec.service: nobody knows"
                        + " pai.default.svc.cluster.local; did you mean pay?"));
    }

    @Test
    void aPortThatAServiceHasNotWaits() {
        save(ENTRY + OUTWARD.replace("api.example.com}", "api.example.com, port: {number: 80}}"));

        save(ENTRY + OUTWARD.replace("api.example.com}", "api.example.com, port: {number: 81}}"));

        assertThat(diary.read())
                .containsExactly(STAYS
                        + "a.yaml:14:68: VirtualService default/bank: spec.http[0].route[0].destination.port.number:"
                        + " api.example.com has no port 81, only 80. This version waits until it has one");
        assertThat(mesh.problems()).isEmpty();

        save(ENTRY.replace("number: 80", "number: 81")
                + OUTWARD.replace("api.example.com}", "api.example.com, port: {number: 81}}"));

        assertThat(diary.read()).containsExactly("applied: bank");
        assertThat(mesh.problems()).isEmpty();
    }

    @Test
    void aRegisteredNameHasTheOnePortThatRegistrationsHaveAlsoOnceItsWorkloadsAreGone() {
        save(ROUTE.replace("            subset: v2\n", ""));
        run();

        save(ROUTE.replace("            subset: v2\n", "            port: {number: 8080}\n"));

        assertThat(diary.read())
                .singleElement()
                .asString()
                .contains("pay.default.svc.cluster.local has no port 8080, only 80.");
    }

    @Test
    void aFirstVersionThatLeadsToAPortThatAServiceHasNotIsTold() {
        save(ENTRY + OUTWARD.replace("api.example.com}", "api.example.com, port: {number: 81}}"));

        assertThat(mesh.problems())
                .extracting(Object::toString)
                .containsExactly(
                        "a.yaml:14:68: VirtualService default/bank: spec.http[0].route[0].destination.port.number:"
                                + " api.example.com has no port 81, only 80; requests routed there get a 503");
    }

    @Test
    void aFirstVersionIsObeyed() {
        save(ROUTE);

        assertThat(diary.read()).isEmpty();
        assertThat(leads()).containsExactly("pay v2");
    }

    // An edit that takes away what routes lead to.

    @Test
    void aSubsetThatRoutesLeadToStaysUntilNoneDoes() {
        save(RULE + ROUTE);

        save(RULE.replace("{name: v2", "{name: v2b") + ROUTE);

        assertThat(diary.read())
                .containsExactly(STAYS
                        + "a.yaml:8:7: DestinationRule default/pay: spec.subsets[1]: subset v2 is gone (there are v1,"
                        + " v2b; is v2b meant to be v2?), and a.yaml:19 (VirtualService default/pay) leads to it; put"
                        + " it back, or change the route too. This version waits until somebody else has it, or"
                        + " nothing leads there");
        assertThat(mesh.problems()).isEmpty();
        assertThat(mesh.subsets(PAY)).containsExactly("v1", "v2");

        save(RULE.replace("{name: v2", "{name: v2b") + ROUTE.replace("subset: v2", "subset: v2b"));

        assertThat(diary.read()).containsExactly("applied: pay");
        assertThat(leads()).containsExactly("pay v2b");
        assertThat(mesh.subsets(PAY)).containsExactly("v1", "v2b");
    }

    @Test
    void aRuleWhoseSubsetsAreAllGoneIsToldAtItsHost() {
        save(RULE + ROUTE);

        save(RULE.substring(0, RULE.indexOf("  subsets:")) + ROUTE);

        assertThat(diary.read())
                .singleElement()
                .asString()
                .startsWith(STAYS + "a.yaml:5:9: DestinationRule default/pay: spec.host: subset v2 is gone, and ");
        assertThat(mesh.problems()).isEmpty();
    }

    @Test
    void aRuleThatTurnsToAnotherHostTakesItsSubsetsAlong() {
        run(workload("pay"), workload("refund"));
        save(RULE + ROUTE);

        save(RULE.replace("host: pay", "host: refund") + ROUTE);

        assertThat(diary.read())
                .singleElement()
                .asString()
                .startsWith(STAYS + "a.yaml:5:9: DestinationRule default/pay: spec.host: subset v2 is gone, and ");
        assertThat(mesh.problems()).isEmpty();
    }

    @Test
    void whatIsTakenAwayTogetherIsToldTogether() {
        run(workload("pay"), workload("refund"));
        var both = ROUTE.replace("            subset: v2\n", """
                            subset: v2
                          weight: 1
                        - destination:
                            host: pay
                            subset: v1
                          weight: 1
                """);
        save(RULE + both);

        save(RULE.replace("host: pay", "host: refund") + both);

        assertThat(diary.read())
                .containsExactly(STAYS
                        + "a.yaml:5:9: DestinationRule default/pay: spec.host: subset v2, subset v1 are gone, and"
                        + " a.yaml:19 (VirtualService default/pay) and a.yaml:23 (VirtualService default/pay) lead to"
                        + " them; put them back, or change the route too. This version waits until somebody else has"
                        + " them, or nothing leads there");
    }

    @Test
    void aSubsetThatAnotherRuleDefinesMayGo() {
        var other = "---\n" + RULE.replace("{name: pay}", "{name: pay-canary}").replace("{name: v1", "{name: v0");
        save(RULE + ROUTE + other);
        diary.read();

        save(RULE.replace("v2", "v3") + ROUTE + other);

        assertThat(diary.read()).isEmpty();
        assertThat(mesh.subsets(PAY)).contains("v3", "v2");
    }

    @Test
    void aRuleGoesAsSoonAsNoRouteLeadsToWhatItTakesAway() {
        save(RULE + ROUTE);
        save(RULE.replace("v2", "v3") + ROUTE);
        diary.read();

        save(RULE.replace("v2", "v3"));

        assertThat(diary.read()).containsExactly("applied: pay");
        assertThat(mesh.subsets(PAY)).containsExactly("v1", "v3");
    }

    @Test
    void aRouteThatWaitsKeepsTheSubsetThatItsLastGoodVersionLeadsTo() {
        save(RULE + ROUTE);

        save(RULE.replace("v2", "v3")
                + ROUTE.replace("  host: pay", "  host: pai").replace("subset: v2", "subset: v3"));

        assertThat(diary.read()).hasSize(2).allMatch(line -> line.startsWith(STAYS));
        assertThat(leads()).containsExactly("pay v2");
        assertThat(mesh.problems()).isEmpty();

        save(RULE.replace("v2", "v3") + ROUTE.replace("subset: v2", "subset: v3"));

        assertThat(diary.read()).containsExactly("applied: pay", "applied: pay");
        assertThat(leads()).containsExactly("pay v3");
    }

    @Test
    void anEntryKeepsTheHostThatRoutesLeadTo() {
        save(ENTRY + OUTWARD);

        save(ENTRY.replace("api.example.com", "apj.example.com") + OUTWARD);

        assertThat(diary.read())
                .containsExactly(STAYS
                        + "a.yaml:1:1: ServiceEntry default/bank: host api.example.com is gone (there is"
                        + " apj.example.com; is apj.example.com meant to be api.example.com?), and a.yaml:14"
                        + " (VirtualService default/bank) leads to it; put it back, or change the route too. This"
                        + " version waits until somebody else has it, or nothing leads there");
        assertThat(mesh.service("api.example.com")).isPresent();

        save(ENTRY.replace("api.example.com", "apj.example.com")
                + OUTWARD.replace("api.example.com", "apj.example.com"));

        assertThat(diary.read()).containsExactly("applied: bank");
        assertThat(mesh.service("api.example.com")).isEmpty();
    }

    @Test
    void whatLeadsNowhereAlreadyMayBeEdited() {
        save(ROUTE);

        save(ROUTE.replace("hosts: [pay]", "hosts: [pay, refund]"));

        assertThat(diary.read()).isEmpty();
        assertThat(mesh.routes())
                .singleElement()
                .satisfies(routes -> assertThat(routes.hosts()).hasSize(2));
    }

    @Test
    void aServiceWhoseWorkloadsAreAllGoneIsNoTypo() {
        run(workload("pay"), workload("refund"));
        save(RULE + ROUTE);
        run();

        save(RULE.replace("host: pay", "host: refund")
                + ROUTE.replace("  host: pay", "  host: refund").replace("subset: v2", "subset: v1"));

        assertThat(diary.read()).isEmpty();
        assertThat(leads()).containsExactly("refund v1");
    }

    // A document that is gone from a file that stays.

    @Test
    void whatRoutesLeadToDoesNotGoWithTheEndOfAFile() {
        save(ROUTE + "---\n" + RULE);

        save(ROUTE);

        assertThat(diary.read())
                .containsExactly(STAYS
                        + "a.yaml:13:1: DestinationRule default/pay: is gone from its file, but a.yaml:11"
                        + " (VirtualService default/pay) leads to subset v2 of pay.default.svc.cluster.local, which it"
                        + " defines; put it back, or change the route too. It goes by itself once nothing leads there,"
                        + " and at once with the whole file");
        assertThat(mesh.problems()).isEmpty();
        assertThat(documents.problems()).hasSize(1);

        save(ROUTE.replace("            subset: v2\n", ""));

        assertThat(diary.read()).containsExactly("removed: pay");
        assertThat(mesh.subsets(PAY)).isEmpty();
        assertThat(documents.problems()).isEmpty();
        assertThat(documents.size()).isOne();
    }

    @Test
    void anEntryWhoseHostRoutesLeadToDoesNotGoWithTheBeginningOfAFile() {
        save(ENTRY + OUTWARD);

        save(OUTWARD);

        assertThat(diary.read())
                .singleElement()
                .asString()
                .startsWith(STAYS
                        + "a.yaml:1:1: ServiceEntry default/bank: is gone from its file, but a.yaml:8 (VirtualService"
                        + " default/bank) leads to api.example.com, which it defines; ");
        assertThat(mesh.service("api.example.com")).isPresent();
    }

    @Test
    void whatIsPutBackIsInForceAsIfNothingHadBeen() {
        save(ROUTE + "---\n" + RULE);
        save(ROUTE);
        diary.read();

        save(ROUTE + "---\n" + RULE);

        assertThat(diary.read()).containsExactly("applied: pay");
        assertThat(documents.problems()).isEmpty();

        save(ROUTE + "---\n" + RULE.replace("{name: v1", "{name: v3"));
        assertThat(mesh.subsets(PAY)).containsExactly("v3", "v2");
    }

    @Test
    void aFileThatIsCutOffWithinADocumentTakesNoneOfTheOthersAway() {
        save(ROUTE + "---\n" + RULE + "---\n" + POLICY);

        save(ROUTE.substring(0, ROUTE.indexOf("        - destination:")));

        assertThat(diary.read())
                .hasSize(3)
                .allMatch(line -> line.startsWith(STAYS))
                .filteredOn(line -> line.contains("AuthorizationPolicy"))
                .containsExactly(STAYS
                        + "a.yaml:22:1: AuthorizationPolicy default/pay: is gone from its file, in which a.yaml:8"
                        + " (VirtualService default/pay) is a mistake, so this may be one too; correct that, and this"
                        + " goes by itself");
        assertThat(leads()).containsExactly("pay v2");
        assertThat(mesh.problems()).isEmpty();
        assertThat(mesh.authorizationPolicies("default", "pay", Map.of(), 80)).hasSize(1);

        save(ROUTE.replace("            subset: v2\n", ""));

        assertThat(diary.read()).containsExactly("removed: pay", "applied: pay", "unguarded: pay");
        assertThat(mesh.authorizationPolicies("default", "pay", Map.of(), 80)).isEmpty();
    }

    @Test
    void aDocumentThatIsRenamedAndBrokenAtOnceStays() {
        save(POLICY + ROUTE + "---\n" + RULE);

        save(POLICY.replace("{name: pay}", "{name: payers}").replace("rules", "ruls") + ROUTE + "---\n" + RULE);

        assertThat(diary.read())
                .anyMatch(line -> line.startsWith(STAYS + "a.yaml:1:1: AuthorizationPolicy default/pay: is gone from"
                        + " its file, in which a.yaml:6 (AuthorizationPolicy default/payers) is a mistake"));
        assertThat(mesh.authorizationPolicies("default", "pay", Map.of(), 80))
                .extracting(policy -> policy.origin().name())
                .contains("pay");

        save(POLICY.replace("{name: pay}", "{name: payers}") + ROUTE + "---\n" + RULE);

        assertThat(mesh.authorizationPolicies("default", "pay", Map.of(), 80))
                .extracting(policy -> policy.origin().name())
                .containsExactly("payers");
        assertThat(documents.problems()).isEmpty();
    }

    @Test
    void aDocumentThatIsOnlyRenamedGoesUnderItsOldName() {
        save(ROUTE + "---\n" + RULE);

        save(ROUTE + "---\n" + RULE.replace("{name: pay}", "{name: payments}"));

        assertThat(diary.read()).isEmpty();
        assertThat(documents.size()).isEqualTo(2);
        assertThat(mesh.problems()).isEmpty();
    }

    @Test
    void whatWaitsInAFileKeepsWhatIsGoneFromIt() {
        save(ROUTE + "---\n" + RULE + "---\n" + POLICY);

        save(ROUTE.replace("  host: pay", "  host: pai").replace("            subset: v2\n", "") + "---\n" + RULE);

        assertThat(diary.read()).hasSize(2).allMatch(line -> line.startsWith(STAYS));
        assertThat(mesh.authorizationPolicies("default", "pay", Map.of(), 80)).hasSize(1);

        run(workload("pay"), workload("pai"));

        assertThat(mesh.authorizationPolicies("default", "pay", Map.of(), 80)).isEmpty();
    }

    // Whom policies are about.

    @Test
    void aPolicyThatTurnsToNobodyHoldsForBoth() {
        save(POLICY);

        save(POLICY.replace("app: pay", "app: pey"));

        assertThat(diary.read())
                .containsExactly(STAYS
                        + "a.yaml:5:27: AuthorizationPolicy default/pay: spec.selector.matchLabels: namespace default"
                        + " has no workload with the labels app=pey; did you mean app=pay? This version waits until"
                        + " there is one");
        assertThat(mesh.authorizationPolicies("default", "pay", Map.of(), 80)).hasSize(1);
        assertThat(mesh.authorizationPolicies("default", "pey", Map.of(), 80))
                .as("who comes next finds it")
                .hasSize(1);

        run();
        run(workload("pay"));
        assertThat(diary.read()).as("who was away for a moment").isEmpty();
        assertThat(mesh.authorizationPolicies("default", "pay", Map.of(), 80)).hasSize(1);

        run(workload("pay"), workload("pey"));

        assertThat(diary.read()).containsExactly("applied: pay");
        assertThat(mesh.authorizationPolicies("default", "pay", Map.of(), 80)).isEmpty();
        assertThat(mesh.authorizationPolicies("default", "pey", Map.of(), 80)).hasSize(1);
    }

    @Test
    void aPolicyForAServiceThatNobodyKnowsHoldsForTheOneBeforeToo() {
        var policy = POLICY.replace("selector: {matchLabels: {app: pay}}", "targetRefs: [{kind: Service, name: pay}]");
        save(policy);

        save(policy.replace("kind: Service, name: pay", "kind: Service, name: pey"));

        assertThat(diary.read())
                .containsExactly(STAYS
                        + "a.yaml:5:38: AuthorizationPolicy default/pay: spec.targetRefs[0].name: nobody knows"
                        + " pey.default.svc.cluster.local; did you mean pay? This version waits until a Service,"
                        + " ServiceEntry, service account or workload has that name");
        assertThat(mesh.authorizationPolicies("default", "pay", Map.of(), 80)).hasSize(1);
    }

    @Test
    void aPolicyThatIsAboutSomebodyAndSomebodyUnknownHoldsForNeither() {
        var policy = POLICY.replace("selector: {matchLabels: {app: pay}}", "targetRefs: [{kind: Service, name: pay}]");
        save(policy);

        save(policy.replace("name: pay}]", "name: pay}, {kind: Service, name: pey}]")
                .replace("[checkout]", "[checkout, stranger]"));

        assertThat(diary.read()).hasSize(1).allMatch(line -> line.startsWith(STAYS));
        assertThat(mesh.authorizationPolicies("default", "pay", Map.of(), 80))
                .as("that stranger may come in waits")
                .hasSize(1);
    }

    @Test
    void aPolicyThatTurnsToSomebodyTurnsAtOnce() {
        save(POLICY);
        run(workload("pay"), workload("web"));

        save(POLICY.replace("selector: {matchLabels: {app: pay}}", "selector: {}"));
        assertThat(mesh.authorizationPolicies("default", "web", Map.of(), 80)).hasSize(1);

        save(POLICY.replace("app: pay", "app: web"));
        assertThat(mesh.authorizationPolicies("default", "pay", Map.of(), 80)).isEmpty();
        assertThat(diary.read()).isEmpty();
    }

    @Test
    void aPolicyThatIsGoneIsToldAndOneThatIsRenamedIsNot() {
        save(RULE + "---\n" + POLICY);

        save(RULE + "---\n" + POLICY.replace("{name: pay}", "{name: payments}"));
        assertThat(diary.read()).isEmpty();

        save(RULE);
        assertThat(diary.read()).containsExactly("unguarded: payments");

        save(RULE + "---\n" + POLICY);
        save("");
        assertThat(diary.read()).as("the whole file").containsExactly("unguarded: pay");
    }

    // Rules of another language for the same host.

    @Test
    void rulesOfAHigherRankThatLeadNowhereWaitWhereOthersSpeak() {
        save(RULE + ROUTE);

        addTo("b.yaml", HTTP_ROUTE.replace("{name: pay, port: 80}", "{name: pai, port: 80}"));

        assertThat(diary.read())
                .containsExactly(STAYS
                        + "b.yaml:7:28: HTTPRoute default/pay: spec.rules[0].backendRefs[0].name: nobody knows"
                        + " pai.default.svc.cluster.local; did you mean pay? This version waits until a Service,"
                        + " ServiceEntry, service account or workload has that name; until then VirtualService"
                        + " default/pay (a.yaml:10:1) speaks");
        assertThat(leads()).containsExactly("pay v2");
        assertThat(mesh.problems()).isEmpty();

        run(workload("pay"), workload("pai"));

        assertThat(diary.read()).containsExactly("applied: pay");
        assertThat(mesh.routes(PAY, "default", 80).orElseThrow().rank()).isEqualTo(HttpRoutes.Rank.HTTP_ROUTE);
    }

    @Test
    void rulesOfAHigherRankThatLeadSomewhereSpeakAtOnce() {
        save(RULE + ROUTE);

        addTo("b.yaml", HTTP_ROUTE);

        assertThat(diary.read()).isEmpty();
        assertThat(mesh.routes(PAY, "default", 80).orElseThrow().rank()).isEqualTo(HttpRoutes.Rank.HTTP_ROUTE);
    }

    @Test
    void aWholeFileGoesAtOnceAndTheRoutesAuthorIsTold() {
        save(RULE);
        addTo("b.yaml", ROUTE);

        save("");

        assertThat(diary.read()).isEmpty();
        assertThat(mesh.subsets(PAY)).isEmpty();
        assertThat(mesh.problems())
                .singleElement()
                .asString()
                .startsWith("b.yaml:11:21: VirtualService default/pay: ")
                .contains("no DestinationRule defines subset v2 of pay.default.svc.cluster.local; requests routed");
    }

    @Test
    void aFileThatGoesAfterItsDocumentsTakesThoseThatStayedAlong() {
        save(RULE + "---\n" + POLICY);
        addTo("b.yaml", ROUTE);
        save(POLICY);
        assertThat(mesh.subsets(PAY)).isNotEmpty();

        save("");

        assertThat(mesh.subsets(PAY)).isEmpty();
        assertThat(documents.size()).isOne();
    }

    @Test
    void whatAnApiServerNoLongerHasGoesAtOnce() {
        save(ROUTE);
        for (var document : Yaml.parse("a.yaml", RULE).documents()) {
            documents.take(Map.of("rule", stored(document)), List.of());
        }
        mesh = documents.settle(workloads, names, ++generation);

        documents.take(Map.of(), List.of("rule"));
        mesh = documents.settle(workloads, names, ++generation);

        assertThat(diary.read()).isEmpty();
        assertThat(mesh.problems()).hasSize(1);
    }

    @Test
    void anApiServerIsToldThatAVersionIsNotAccepted() {
        save(RULE + ROUTE);
        save(RULE + ROUTE.replace("subset: v2", "subset: v3"));
        assertThat(documents.standings(List.of())).as("of a file").isEmpty();

        workloads = List.of();
        saved = new HashMap<>(saved);
        saved.replaceAll((_, document) -> stored(document));
        documents.take(saved, List.of());
        mesh = documents.settle(workloads, names, 9);

        assertThat(documents.standings(List.of()))
                .filteredOn(standing -> standing.document().kind().equals("VirtualService"))
                .singleElement()
                .satisfies(standing -> {
                    assertThat(standing.accepted()).isFalse();
                    assertThat(standing.why()).startsWith("spec.http[0].route[0].destination.subset: no ");
                });
    }

    /// The whole of a file.
    private void save(String yaml) {
        var parsed = Yaml.parse("a.yaml", yaml);
        assertThat(parsed.problems()).isEmpty();
        var now = new HashMap<String, Document>();
        parsed.documents().forEach(document -> now.put(document.apiVersion() + "/" + document.key(), document));
        var removed = new ArrayList<>(saved.keySet());
        removed.removeAll(now.keySet());
        saved = now;
        documents.take(now, removed);
        mesh = documents.settle(workloads, names, ++generation);
    }

    private void add(String yaml) {
        addTo("a.yaml", yaml);
    }

    private void addTo(String file, String yaml) {
        for (var document : Yaml.parse(file, yaml).documents()) {
            documents.take(Map.of(document.apiVersion() + "/" + document.key(), document), List.of());
        }
        mesh = documents.settle(workloads, names, ++generation);
    }

    /// As an API server has it.
    private static Document stored(Document document) {
        return new Document(
                document.apiVersion(), document.kind(), document.namespace(), document.name(), "7", document.root());
    }

    private void run(Workload... now) {
        workloads = List.of(now);
        mesh = documents.settle(workloads, names, ++generation);
    }

    /// Where rules lead to, and by which subset that is defined.
    private List<String> leads() {
        return mesh.destinations().stream().map(EditsTest::shown).toList();
    }

    private static String shown(Destination destination) {
        return destination.host().replace(".default.svc.cluster.local", "") + " " + destination.subset();
    }

    private static Workload workload(String service) {
        return Workload.registered(
                "default", service + "-1", service, service, Map.of(), "127.0.0.1", Map.of(80, 8080), true);
    }
}
