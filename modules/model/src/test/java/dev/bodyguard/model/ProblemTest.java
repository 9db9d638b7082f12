package dev.bodyguard.model;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ProblemTest {
    @Test
    void readsAsPlaceObjectFieldAndMessage() {
        var origin =
                new Origin("VirtualService", "default", "pay", "spec.http[0].timeout", new Location("pay.yaml", 9, 14));

        var problem = new Problem(Problem.Severity.ERROR, origin, "must be a duration such as 2s, was soon");

        assertThat(problem)
                .hasToString(
                        "pay.yaml:9:14: VirtualService default/pay: spec.http[0].timeout: must be a duration such as"
                                + " 2s, was soon");
    }
}
