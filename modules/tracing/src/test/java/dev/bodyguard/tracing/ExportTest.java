package dev.bodyguard.tracing;

import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ExportTest {
    private final Logger logger = Logger.getLogger("dev.bodyguard.tracing");
    private final Lines lines = new Lines();
    private final Collector collector = new Collector();
    private final Export export = new Export(collector, "http://collector:4317");

    @BeforeEach
    void listen() {
        logger.addHandler(lines);
    }

    @AfterEach
    void leave() {
        logger.removeHandler(lines);
    }

    @Test
    void aLostCollectorIsToldOnceAndOnceItIsBackAgain() {
        answer("Connection refused");
        answer("Connection refused");
        answer(null);
        answer(null);
        answer("timeout");

        assertThat(lines.said)
                .containsExactly(
                        "WARNING http://collector:4317 takes no spans, they are dropped until it does: "
                                + "Connection refused",
                        "INFO http://collector:4317 takes spans again; at least 0 were dropped",
                        "WARNING http://collector:4317 takes no spans, they are dropped until it does: timeout");
    }

    private void answer(@Nullable String failure) {
        var answer = new CompletableResultCode();
        collector.next = answer;
        var told = export.export(List.of());
        if (failure == null) {
            answer.succeed();
        } else {
            answer.failExceptionally(new IOException(failure));
        }
        assertThat(told.isDone()).isTrue();
    }

    private static final class Collector implements SpanExporter {
        private CompletableResultCode next = CompletableResultCode.ofSuccess();

        @Override
        public CompletableResultCode export(Collection<SpanData> spans) {
            return next;
        }

        @Override
        public CompletableResultCode flush() {
            return CompletableResultCode.ofSuccess();
        }

        @Override
        public CompletableResultCode shutdown() {
            return CompletableResultCode.ofSuccess();
        }
    }

    private static final class Lines extends Handler {
        private final List<String> said = new ArrayList<>();

        @Override
        public void publish(LogRecord line) {
            said.add(line.getLevel() + " " + line.getMessage());
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }
}
