package dev.bodyguard.telemetry.record;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

final class WorkloadNameTest {
    @Test
    void isItsControllersByTheLabelsThatControllersSet() {
        assertThat(WorkloadName.of("pay-v2-66fc5b75c8-b78nc", Map.of("pod-template-hash", "66fc5b75c8")))
                .isEqualTo("pay-v2");
        assertThat(WorkloadName.of("ledger-12", Map.of("statefulset.kubernetes.io/pod-name", "ledger-12")))
                .isEqualTo("ledger");
        assertThat(WorkloadName.of("agent-x2k4p", Map.of("controller-revision-hash", "7d9bdd5c77")))
                .isEqualTo("agent");
        assertThat(WorkloadName.of("report-29381-x2k4p", Map.of("batch.kubernetes.io/job-name", "report-29381")))
                .isEqualTo("report-29381");
    }

    @Test
    void isTheInstancesOwnWhereNoControllerIsTold() {
        assertThat(WorkloadName.of("payment-service-v2-a", Map.of("app", "payment-service")))
                .isEqualTo("payment-service-v2-a");
        assertThat(WorkloadName.of("pay", Map.of("pod-template-hash", "66fc5b75c8")))
                .isEqualTo("pay");
    }
}
