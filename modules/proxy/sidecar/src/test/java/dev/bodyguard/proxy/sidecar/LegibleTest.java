package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LegibleTest {
    @Test
    void leavesWordsAsTheyAre() {
        assertThat(Legible.of("refused plaintext (NR): “GET” für 价格 \uD83D\uDE00"))
                .isEqualTo("refused plaintext (NR): “GET” für 价格 \uD83D\uDE00");
    }

    @Test
    void writesWhatWouldEndTheLineOrMoveTheCursorAsNumbers() {
        assertThat(Legible.of("a\nb\u001b[2J\u0085\u2028\u202e\uD800"))
                .isEqualTo("a\\u000ab\\u001b[2J\\u0085\\u2028\\u202e\\ud800");
    }

    @Test
    void endsWhatNeverEnds() {
        assertThat(Legible.of("v".repeat(100_000))).hasSize(1_025).endsWith("v…");
    }
}
