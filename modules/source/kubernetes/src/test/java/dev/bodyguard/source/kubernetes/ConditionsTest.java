package dev.bodyguard.source.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// What a verdict makes of an object's status.
class ConditionsTest {
    private static final Kind VIRTUAL_SERVICE = Kind.DEFINED.getFirst();
    private static final Kind HTTP_ROUTE = Kind.DEFINED.stream()
            .filter(kind -> kind.name().equals("HTTPRoute"))
            .findFirst()
            .orElseThrow();
    private static final Instant NOON = Instant.parse("2026-01-31T12:00:00Z");

    @Test
    void saysHowADocumentFaresBesideWhatOthersSay() {
        var status = status(
                "status: {conditions: [{type: Reconciled, status: 'True'}], validationMessages: []}",
                VIRTUAL_SERVICE,
                new Verdict("", 4, true, "", "", 2, 3),
                NOON);

        assertThat(status).containsEntry("observedGeneration", 4L).containsKey("validationMessages");
        assertThat(String.valueOf(status.get("conditions")))
                .isEqualTo("[{type=Reconciled, status=True},"
                        + " {type=Accepted, status=True, reason=Accepted, message=, observedGeneration=4,"
                        + " lastTransitionTime=2026-01-31T12:00:00Z},"
                        + " {type=Programmed, status=False, reason=Pending, message=2 of 3 proxies, observedGeneration=4,"
                        + " lastTransitionTime=2026-01-31T12:00:00Z},"
                        + " {type=Overridden, status=False, reason=InForce, message=, observedGeneration=4,"
                        + " lastTransitionTime=2026-01-31T12:00:00Z}]");
    }

    @Test
    void whatStaysAsItIsIsNotWrittenAgain() {
        var verdict = new Verdict("", 4, false, "spec.hosts: is required; add it", "", 0, 3);
        var once = status("", VIRTUAL_SERVICE, verdict, NOON);

        assertThat(Conditions.same(
                        Conditions.status(
                                new Tree(Map.of("status", once)), VIRTUAL_SERVICE, verdict, NOON.plusSeconds(60)),
                        once))
                .isTrue();
        assertThat(String.valueOf(once.get("conditions")))
                .contains("type=Accepted, status=False, reason=Invalid, message=spec.hosts: is required; add it")
                .contains("type=Programmed, status=False, reason=Invalid, message=0 of 3 proxies");
    }

    @Test
    void aRouteHasOneForEachOfOurParentsAndThoseOfOtherControllers() {
        var status = status(
                """
                spec:
                  parentRefs: [{kind: Service, group: '', name: pay, port: 80}, {name: a-gateway}]
                status:
                  parents:
                    - {controllerName: example.com/other, parentRef: {name: a-gateway}, conditions: []}
                    - {controllerName: bodyguard.dev/controller, parentRef: {kind: Service, name: gone}, conditions: []}
                """,
                HTTP_ROUTE,
                new Verdict("", 4, true, "", "not in force for host pay: another speaks for it", 3, 3),
                NOON);

        assertThat(status).containsOnlyKeys("parents");
        assertThat(String.valueOf(status.get("parents")))
                .startsWith("[{controllerName=example.com/other, parentRef={name=a-gateway}, conditions=[]},"
                        + " {parentRef={kind=Service, group=, name=pay, port=80},"
                        + " controllerName=bodyguard.dev/controller, conditions=[{type=Accepted, status=True,")
                .contains("type=Programmed, status=True, reason=Programmed, message=3 of 3 proxies")
                .contains("type=Overridden, status=True, reason=Overridden, message=not in force for host pay")
                .doesNotContain("gone");
    }

    private static Map<String, Object> status(String yaml, Kind kind, Verdict verdict, Instant now) {
        var object = Cluster.asWritten()
                .unmarshal("apiVersion: a/v1\nkind: B\nmetadata: {name: x}\n" + yaml, GenericKubernetesResource.class);
        return Conditions.status(Tree.of(object), kind, verdict, now);
    }
}
