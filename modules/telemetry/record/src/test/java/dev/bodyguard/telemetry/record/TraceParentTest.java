package dev.bodyguard.telemetry.record;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TraceParentTest {
    private static final String TEXT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    @Test
    void readsAndWritesTheSame() {
        TraceParent parent = TraceParent.parse(TEXT);

        assertThat(parent).hasToString(TEXT);
        assertThat(parent).isNotNull().extracting(TraceParent::sampled).isEqualTo(true);
    }

    @Test
    void whatIsMadeCanBeRead() {
        var random = new Random(1);
        for (int i = 0; i < 1_000; i++) {
            var made = TraceParent.start(i % 2 == 0, random);
            assertThat(TraceParent.parse(made.toString())).isEqualTo(made);
        }
    }

    @Test
    void aChildIsAnotherSpanOfTheSameTrace() {
        var parent = TraceParent.start(true, new Random(2));

        var child = parent.child(new Random(3));

        assertThat(child.traceId()).isEqualTo(parent.traceId());
        assertThat(child.spanId()).isNotEqualTo(parent.spanId());
        assertThat(child.sampled()).isTrue();
    }

    @Test
    void ofALaterVersionWhatIsKnownIsRead() {
        assertThat(TraceParent.parse("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"))
                .isEqualTo(TraceParent.parse(TEXT));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "00",
                "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
                "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
                "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                "zz-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            })
    void whatTheRecommendationCallsInvalidIsNotRead(String text) {
        assertThat(TraceParent.parse(text)).isNull();
    }
}
