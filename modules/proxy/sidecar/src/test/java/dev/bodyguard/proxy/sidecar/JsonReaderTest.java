package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class JsonReaderTest {
    @Test
    void readsEveryKindOfValue() {
        assertThat(JsonReader.read(" {\"a\": [1, -2.5e1, true, false, null], \"b\\u0041\": \"x\\n\\\"\", \"c\": {}} "))
                .isEqualTo(Map.of("a", Arrays.asList(1L, -25.0, true, false, null), "bA", "x\n\"", "c", Map.of()));
    }

    @Test
    void readsWhatIsWritten() {
        var tree = Map.of("text", "\"\\\u0001ü", "list", List.of(Map.of(), List.of(), 7L, false));

        assertThat(JsonReader.read(Json.of(tree))).isEqualTo(tree);
    }

    @Test
    void saysWhereItStopsBeingJson() {
        assertThatThrownBy(() -> JsonReader.read("{\"a\": tru}")).hasMessage("JSON: expected true at character 7");
        assertThatThrownBy(() -> JsonReader.read("{\"a\":1,\"a\":2}")).hasMessageContaining("each name once");
        assertThatThrownBy(() -> JsonReader.read("[".repeat(100_000))).hasMessageContaining("at most 32 levels");
        assertThatThrownBy(() -> JsonReader.read("{} {}")).hasMessageContaining("nothing more");
    }

    /// Whatever it is given, it reads or says what it expected.
    @Test
    void throwsNothingElse() {
        var random = new Random(5);
        var alphabet = "{}[]\",:\\u0dtruefalsn -.eE1\n";
        for (int round = 0; round < 50_000; round++) {
            var text = new StringBuilder();
            for (int length = random.nextInt(12); length > 0; length--) {
                text.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            try {
                var _ = JsonReader.read(text.toString());
            } catch (IllegalArgumentException told) {
                assertThat(told).hasMessageStartingWith("JSON: expected ");
            }
        }
    }
}
