package dev.bodyguard.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.model.HttpRoutes.OnPort;
import dev.bodyguard.model.PeerAuthentication.Mode;
import dev.bodyguard.model.PeerAuthentication.Scope;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MeshTest {
    private static final String PAYMENT = "payment-service.default.svc.cluster.local";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "payment-service",
                "Payment-Service:80",
                "payment-service.default",
                "payment-service.default.svc",
                "payment-service.default.svc.cluster.local",
                "payment-service.default.svc.cluster.local.:8080"
            })
    void knowsARegisteredNameByEverySpelling(String authority) {
        var mesh = Mesh.of(List.of(payment("1", Map.of(8080, 21000))));

        assertThat(mesh.known(authority, "default")).contains(PAYMENT);
    }

    @Test
    void takesAShortNameForOneOfTheCallersNamespace() {
        var mesh = Mesh.of(List.of(payment("1", Map.of(8080, 21000))));

        assertThat(mesh.known("payment-service", "shop")).isEmpty();
        assertThat(mesh.known("payment-service.default", "shop")).contains(PAYMENT);
    }

    @Test
    void leadsPort80OfAnUndocumentedServiceToTheOnlyPortOfEachWorkload() {
        var mesh = Mesh.of(List.of(payment("1", Map.of(8080, 21000)), payment("2", Map.of(9090, 21001))));
        var service = mesh.service(PAYMENT).orElseThrow();

        assertThat(mesh.instances(service, service.port(80).orElseThrow(), Map.of()))
                .extracting(Mesh.Instance::port)
                .containsExactly(21000, 21001);
    }

    @Test
    void leavesOutAWorkloadWithSeveralPortsOfWhichNoneIsMeant() {
        var mesh = Mesh.of(List.of(payment("1", Map.of(8080, 21000, 9090, 21001))));
        var service = mesh.service(PAYMENT).orElseThrow();

        assertThat(mesh.instances(service, service.port(80).orElseThrow(), Map.of()))
                .isEmpty();
    }

    @Test
    void labelsAWorkloadWithItsServiceUnlessItsAuthorSaysOtherwise() {
        assertThat(payment("1", Map.of()).labels()).containsEntry("app", "payment-service");
    }

    private static Workload payment(String instance, Map<Integer, Integer> ports) {
        return Workload.registered(
                "default",
                "payment-service-" + instance,
                "payment-service",
                "payment-service",
                Map.of("version", "v1"),
                "127.0.0.1",
                ports,
                true);
    }

    @Test
    void resolvesANamedPortAtEachPodAndLeavesOutThoseThatHaveNoSuchPort() {
        var pods = List.of(
                pod("a", Map.of("web", 8080), true), pod("b", Map.of("web", 9090), true), pod("c", Map.of(), true));
        var service = service(false);

        var mesh = Mesh.of(Stream.concat(pods.stream(), Stream.of(service)).toList());

        assertThat(mesh.instances(service, service.ports().getFirst(), Map.of()))
                .extracting(Mesh.Instance::port)
                .containsExactly(8080, 9090);
    }

    @Test
    void sendsToPodsThatAreNotReadyOnlyWhereAServiceWantsThatToo() {
        var pods = List.of(pod("a", Map.of("web", 8080), false));

        for (boolean unreadyToo : new boolean[] {false, true}) {
            var service = service(unreadyToo);
            var mesh = Mesh.of(Stream.concat(pods.stream(), Stream.of(service)).toList());
            assertThat(mesh.instances(service, service.ports().getFirst(), Map.of()))
                    .hasSize(unreadyToo ? 1 : 0);
        }
    }

    private static Service service(boolean unreadyToo) {
        return new Service(
                "web.default.svc.cluster.local",
                "default",
                "web",
                List.of(new Service.Port(80, "http", Service.Protocol.HTTP, new Service.Target.Named("web"))),
                List.of(),
                new Service.Backing.Selected(Map.of("app", "web"), unreadyToo),
                false,
                List.of(),
                Visibility.EVERYWHERE,
                new Origin("Service", "default", "web", "", null));
    }

    private static Workload pod(String name, Map<String, Integer> containerPorts, boolean ready) {
        return new Workload(
                "default",
                name,
                "",
                "default",
                Map.of("app", "web"),
                "10.0.0." + (name.charAt(0) - 'a'),
                Map.of(),
                Map.of(),
                containerPorts,
                ready,
                true,
                0,
                new Origin("Pod", "default", name, "", null));
    }

    @Test
    void hearsARouteOfTheClientsNamespaceBeforeThatOfTheServices() {
        var producer = route("p", OnPort.ANY, Visibility.EVERYWHERE);
        var consumer = route("c", OnPort.ANY, new Visibility(Set.of("shop")));
        var mesh = Mesh.of(List.of(producer, consumer));

        assertThat(answers(mesh, "default", 80)).containsExactly("p");
        assertThat(answers(mesh, "shop", 80)).containsExactly("c");
        assertThat(mesh.problems()).isEmpty();
    }

    @Test
    void hearsARouteOfAPortOnlyThere() {
        var any = route("any", OnPort.ANY, Visibility.EVERYWHERE);
        var one = route("one", new OnPort(81, ""), Visibility.EVERYWHERE);
        var mesh = Mesh.of(List.of(any, one));

        assertThat(answers(mesh, "default", 80)).containsExactly("any");
        assertThat(answers(mesh, "default", 81)).containsExactly("any", "one");
    }

    @Test
    void asksTheMostSpecificRuleFirstInWhateverOrderRoutesArrive() {
        var get = new StringMatch.Exact("GET");
        var parts = new ArrayList<>(List.of(
                route("1 exact", match(new StringMatch.Exact("/a"), null)),
                route("2 expression", match(new StringMatch.Regex("/.*"), null)),
                route("3 longer", match(new StringMatch.Under("/a/b"), null)),
                route("4 with method", match(new StringMatch.Under("/a"), get)),
                route("5 first by name", match(new StringMatch.Under("/a"), null)),
                route("6 second by name", match(new StringMatch.Under("/a"), null)),
                route("7 everything", match(new StringMatch.Under("/"), get))));
        var random = new Random(5);

        for (int round = 0; round < 50; round++) {
            Collections.shuffle(parts, random);

            assertThat(answers(Mesh.of(parts), "default", 80)).isSorted().hasSize(7);
        }
    }

    private static List<String> answers(Mesh mesh, String namespace, int port) {
        return mesh.routes(PAYMENT, namespace, port).orElseThrow().rules().stream()
                .map(HttpRule::name)
                .toList();
    }

    private static HttpMatch match(StringMatch path, @Nullable StringMatch method) {
        return new HttpMatch(
                "",
                path,
                false,
                null,
                method,
                null,
                Map.of(),
                Map.of(),
                Map.of(),
                0,
                Map.of(),
                "",
                Set.of(),
                new Origin("HTTPRoute", "default", "any", "", null));
    }

    @Test
    void whereAnAuthorKeepsAnObjectDoesNotMakeItYoungerThanItsEqualsOfAnApiServer() {
        var noon = Instant.parse("2026-01-31T12:00:00Z");
        var first = createdAt(noon, new Origin("VirtualService", "default", "a", "", new Location("z.yaml", 7, 1)));
        var second = createdAt(noon, new Origin("VirtualService", "default", "b", "", null));

        assertThat(Mesh.of(List.of(first, second)).overridden())
                .extracting(problem -> problem.origin().name())
                .containsExactly("b");
    }

    private static HttpRoutes createdAt(Instant created, Origin origin) {
        var like = route(origin.name(), OnPort.ANY, Visibility.EVERYWHERE);
        return new HttpRoutes(
                HttpRoutes.Rank.VIRTUAL_SERVICE,
                like.namespace(),
                like.hosts(),
                like.hostsAt(),
                like.port(),
                like.gateways(),
                like.visibility(),
                like.rules(),
                null,
                created,
                origin);
    }

    private static HttpRoutes route(String name, HttpMatch match) {
        return route(name, OnPort.ANY, Visibility.EVERYWHERE, match);
    }

    private static HttpRoutes route(String name, OnPort port, Visibility visibility) {
        return route(name, port, visibility, match(new StringMatch.Under("/"), null));
    }

    private static HttpRoutes route(String name, OnPort port, Visibility visibility, HttpMatch match) {
        var origin = new Origin("HTTPRoute", "default", name, "", null);
        var rule = new HttpRule(
                name,
                List.of(match),
                new HttpRule.Action.Respond(200, name),
                null,
                new HttpRule.Retries.Unsaid(),
                null,
                HttpRule.HeaderEdits.NONE,
                null,
                null,
                origin);
        return new HttpRoutes(
                HttpRoutes.Rank.HTTP_ROUTE,
                "default",
                List.of(PAYMENT),
                Map.of(),
                port,
                Set.of(HttpMatch.MESH),
                visibility,
                List.of(rule),
                null,
                null,
                origin);
    }

    @Test
    void theNarrowestWordOnPeersHolds() {
        var mesh = Mesh.of(List.of(
                peers(new Scope.Everywhere(), Mode.STRICT, Map.of()),
                peers(new Scope.Namespace("shop"), Mode.PERMISSIVE, Map.of()),
                peers(new Scope.Labelled("shop", Map.of("app", "pay")), null, Map.of(8080, Mode.DISABLE))));

        assertThat(mesh.peerMode("books", "", Map.of(), 8080)).contains(Mode.STRICT);
        assertThat(mesh.peerMode("shop", "", Map.of("app", "cart"), 8080)).contains(Mode.PERMISSIVE);
        assertThat(mesh.peerMode("shop", "pay", Map.of(), 8080)).contains(Mode.DISABLE);
        assertThat(mesh.peerMode("shop", "pay", Map.of(), 9090))
                .as("what a workload's own leaves to others")
                .contains(Mode.PERMISSIVE);
        assertThat(Mesh.of(List.of()).peerMode("shop", "pay", Map.of(), 8080)).isEmpty();
    }

    @Test
    void ofTwoWordsOnOneWorkloadsPeersTheOlderHoldsAndTheOtherIsTold() {
        var older = peers(new Scope.Labelled("default", Map.of("app", "payment-service")), Mode.STRICT, Map.of());
        var younger = new PeerAuthentication(
                new Scope.Labelled("default", Map.of("version", "v1")),
                new Origin("PeerAuthentication", "default", "younger", "", null),
                Mode.DISABLE,
                Map.of(8080, Mode.DISABLE),
                Instant.parse("2026-01-31T12:00:00Z"),
                new Origin("PeerAuthentication", "default", "younger", "", null));

        var mesh = Mesh.of(List.of(younger, older, payment("1", Map.of(8080, 21000))));

        assertThat(mesh.peerMode("default", "payment-service", Map.of("version", "v1"), 8080))
                .contains(Mode.STRICT);
        assertThat(mesh.problems())
                .singleElement()
                .extracting(Problem::toString)
                .asString()
                .startsWith("PeerAuthentication default/younger: not in force for workloads that PeerAuthentication"
                        + " default/p selects too");
        assertThat(Mesh.of(List.of(younger, older)).problems())
                .as("nobody is affected")
                .isEmpty();
    }

    private static PeerAuthentication peers(Scope scope, @Nullable Mode mode, Map<Integer, Mode> ports) {
        var origin = new Origin("PeerAuthentication", "default", "p", "", null);
        return new PeerAuthentication(scope, origin, mode, ports, null, origin);
    }
}
