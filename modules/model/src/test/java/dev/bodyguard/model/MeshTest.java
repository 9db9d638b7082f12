package dev.bodyguard.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
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
}
