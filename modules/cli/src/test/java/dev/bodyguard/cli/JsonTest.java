package dev.bodyguard.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class JsonTest {
    @Test
    void readsWhatItWrote() {
        var given = Map.of("text", "a \"quoted\"\n\\line é", "list", List.of(true, "x"), "deep", Map.of("number", 1.5));

        assertThat(Json.object(Json.write(given))).isEqualTo(given);
    }

    @Test
    void readsEscapesAndBlanks() {
        assertThat(Json.object(" { \"a\" : \"\\u0041\\n\" , \"b\" : [ ] } \n"))
                .isEqualTo(Map.of("a", "A\n", "b", List.of()));
    }

    @Test
    void takesWhatIsNoObjectForAnEmptyOne() {
        assertThat(List.of(
                        "",
                        "[]",
                        "{",
                        "{\"a\":}",
                        "{} x",
                        "no healthy endpoint",
                        "{\"a\":\"\\u12",
                        "[".repeat(100_000)))
                .allSatisfy(text -> assertThat(Json.object(text)).isEmpty());
    }
}
