package dev.bodyguard.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class TableTest {
    private static final Progress SOME = new Progress(100_000, 99_999, 12, Map.of("v1", 1L, "v2", 3L), 1, 1.25, 40, 7);

    @Test
    void showsSharesAndNeverRoundsAFailureAway() {
        assertThat(Table.row(SOME).strip().split("\\s+", -1))
                .containsExactly("100000", "99.99%", "12", "25.0%", "75.0%", "1.3ms", "40.0ms", "100.0%");
    }

    @Test
    void redrawsItsRowOnATerminalOnly() {
        assertThat(shown(true)).containsOnlyOnce("mTLS").contains("\r").endsWith("\u001b[K\n");
        assertThat(shown(false)).containsOnlyOnce("mTLS").doesNotContain("\r").doesNotContain("\u001b");
        assertThat(shown(false).lines()).hasSize(3);
    }

    @Test
    void endsWithOneObject() {
        assertThat(SOME.json())
                .isEqualTo("{\"requests\": 100000, \"succeeded\": 99999, \"retries\": 12, \"byVersion\": {\"v1\": 1,"
                        + " \"v2\": 3}, \"mtlsShare\": 1.0, \"p50Ms\": 1.25, \"p99Ms\": 40.0, \"spans\": 7}");
    }

    @Test
    void findsPercentilesWithinFivePercent() {
        var latencies = new Latencies();
        for (int millis = 1; millis <= 1_000; millis++) {
            latencies.record(millis * 1_000_000L);
        }

        assertThat(latencies.millisAt(0.50)).isEqualTo(500, within(25.0));
        assertThat(latencies.millisAt(0.99)).isEqualTo(990, within(50.0));
        assertThat(new Latencies().millisAt(0.5)).isZero();
    }

    private static String shown(boolean inPlace) {
        var bytes = new ByteArrayOutputStream();
        var table = new Table(new PrintStream(bytes, true, StandardCharsets.UTF_8), inPlace);
        table.show(SOME);
        table.show(SOME);
        table.close();
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
