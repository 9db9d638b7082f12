package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PodInfoTest {
    @Test
    void readsValuesAsTheyWereBeforeQuoting() {
        assertThat(PodInfo.parse("app=\"payments\"\nnote=\"a \\\"b\\\"\\nc\\\\\"\nempty=\"\"\nbroken\n=\"x\"\n"))
                .containsEntry("app", "payments")
                .containsEntry("note", "a \"b\"\nc\\")
                .doesNotContainKey("broken")
                .doesNotContainKey("");
    }
}
