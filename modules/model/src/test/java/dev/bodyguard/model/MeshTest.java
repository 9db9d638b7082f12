package dev.bodyguard.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.model.HttpRoutes.OnPort;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
    void hearsARouteOfTheClientsNamespaceBeforeThatOfTheServices() {
        var producer = route("p", new OnPort(0, ""), Visibility.EVERYWHERE);
        var consumer = route("c", new OnPort(0, ""), new Visibility(Set.of("shop")));
        var mesh = Mesh.of(List.of(producer, consumer));

        assertThat(answers(mesh, "default", 80)).containsExactly("p");
        assertThat(answers(mesh, "shop", 80)).containsExactly("c");
        assertThat(mesh.problems()).isEmpty();
    }

    @Test
    void hearsARouteOfAPortOnlyThere() {
        var any = route("any", new OnPort(0, ""), Visibility.EVERYWHERE);
        var one = route("one", new OnPort(81, ""), Visibility.EVERYWHERE);
        var mesh = Mesh.of(List.of(any, one));

        assertThat(answers(mesh, "default", 80)).containsExactly("any");
        assertThat(answers(mesh, "default", 81)).containsExactly("any", "one");
    }

    private static List<String> answers(Mesh mesh, String namespace, int port) {
        return mesh.routes(PAYMENT, namespace, port).orElseThrow().rules().stream()
                .map(HttpRule::name)
                .toList();
    }

    private static HttpRoutes route(String name, OnPort port, Visibility visibility) {
        var origin = new Origin("HTTPRoute", "default", name, "", null);
        var everything = new HttpMatch(
                "",
                new StringMatch.Under("/"),
                false,
                null,
                null,
                null,
                Map.of(),
                Map.of(),
                Map.of(),
                0,
                Map.of(),
                "",
                Set.of(),
                origin);
        var rule = new HttpRule(
                name,
                List.of(everything),
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
                port,
                Set.of(HttpMatch.MESH),
                visibility,
                List.of(rule),
                null,
                null,
                origin);
    }
}
