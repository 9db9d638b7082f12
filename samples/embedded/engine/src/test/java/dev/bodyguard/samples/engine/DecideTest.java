package dev.bodyguard.samples.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class DecideTest {
    @Test
    void theFirstRouteThatMatchesDecides() {
        var printed = new ByteArrayOutputStream();
        var before = System.out;
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            Decide.main(new String[] {"/pay/1", "/cart"});
        } finally {
            System.setOut(before);
        }

        assertThat(printed.toString(StandardCharsets.UTF_8).lines())
                .satisfiesExactly(
                        pay -> assertThat(pay).startsWith("/pay/1 -> Routed").contains("cluster=payments"),
                        cart -> assertThat(cart).startsWith("/cart -> Routed").contains("cluster=website"));
    }
}
