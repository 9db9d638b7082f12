package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class AccessLogTest {
    @Test
    void writesEveryLineBeforeItCloses() {
        var out = new ByteArrayOutputStream();

        try (var log = new AccessLog<String>(out, AccessLogTest::line)) {
            log.write("first");
            log.write("second");
        }

        assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("first\nsecond\n");
    }

    @Test
    void dropsAndCountsWhatASlowReaderLeavesNoRoomFor() {
        var release = new CountDownLatch(1);
        var slow = new OutputStream() {
            @Override
            public void write(int b) {
                try {
                    release.await();
                } catch (InterruptedException _) {
                    Thread.currentThread().interrupt();
                }
            }
        };

        try (var log = new AccessLog<String>(slow, AccessLogTest::line)) {
            for (int i = 0; i < 100_000; i++) {
                log.write("a line of some length, so that the writer soon has a block to write");
            }

            assertThat(log.dropped()).isPositive();
            release.countDown();
        }
    }

    private static void line(String text, StringBuilder to) {
        to.append(text).append('\n');
    }
}
