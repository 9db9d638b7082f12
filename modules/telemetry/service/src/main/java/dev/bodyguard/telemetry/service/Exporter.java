package dev.bodyguard.telemetry.service;

import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.LongAdder;

/// Hands spans on to one place, in batches and without end: what cannot be delivered waits and is tried again, what
/// does not fit is dropped and counted. One thread sends; whoever brings spans never waits.
final class Exporter implements AutoCloseable {
    private static final int MOST_WAITING = 4_096;
    private static final int BATCH = 512;
    private static final Duration BATCH_IS_WAITED_FOR = Duration.ofMillis(500);
    private static final Duration FIRST_PAUSE = Duration.ofMillis(500);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(15);
    private static final Duration FAREWELL = Duration.ofSeconds(2);

    private final TraceExport to;
    private final Events events;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(3))
            .executor(Executors.newVirtualThreadPerTaskExecutor())
            .build();
    private final Deque<ResourceSpans> waiting = new ArrayDeque<>();
    private final LongAdder sent = new LongAdder();
    private final LongAdder dropped = new LongAdder();
    private final Thread thread;
    private int waitingSpans;
    private boolean closed;

    Exporter(TraceExport to, Events events) {
        this.to = to;
        this.events = events;
        this.thread = Thread.ofVirtual().name("export-" + to.format()).unstarted(this::run);
    }

    Exporter start() {
        thread.start();
        return this;
    }

    String name() {
        return to.name();
    }

    long sent() {
        return sent.sum();
    }

    long dropped() {
        return dropped.sum();
    }

    synchronized void offer(ResourceSpans spans) {
        int count = count(spans);
        if (closed || waitingSpans + count > MOST_WAITING) {
            dropped.add(count);
            return;
        }
        waiting.add(spans);
        waitingSpans += count;
        notifyAll();
    }

    private static int count(ResourceSpans spans) {
        int count = 0;
        for (var scope : spans.getScopeSpansList()) {
            count += scope.getSpansCount();
        }
        return count;
    }

    private void run() {
        try {
            while (true) {
                var batch = next();
                if (batch.isEmpty()) {
                    return;
                }
                deliver(batch);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /// Empty once closed.
    private List<ResourceSpans> next() throws InterruptedException {
        synchronized (this) {
            while (waiting.isEmpty() && !closed) {
                wait();
            }
        }
        if (!isClosed()) {
            // Several sidecars report at about the same time.
            Thread.sleep(BATCH_IS_WAITED_FOR);
        }
        var batch = new ArrayList<ResourceSpans>();
        synchronized (this) {
            int spans = 0;
            while (!waiting.isEmpty() && (batch.isEmpty() || spans < BATCH)) {
                var next = waiting.remove();
                spans += count(next);
                batch.add(next);
            }
            waitingSpans -= spans;
        }
        return batch;
    }

    private synchronized boolean isClosed() {
        return closed;
    }

    private void deliver(List<ResourceSpans> batch) throws InterruptedException {
        int spans = batch.stream().mapToInt(Exporter::count).sum();
        var request = request(batch);
        var pause = FIRST_PAUSE;
        boolean failed = false;
        long began = System.nanoTime();
        while (true) {
            String why;
            try {
                var response = http.send(request, BodyHandlers.ofString());
                int status = response.statusCode();
                if (status / 100 == 2) {
                    sent.add(spans);
                    events.exported(to.name(), spans, since(began));
                    if (failed) {
                        events.exportResumed(to.name());
                    }
                    return;
                }
                why = "it answered " + status + " " + shortened(response.body());
                if (status != 429 && status < 500) {
                    dropped.add(spans);
                    events.exportRefused(to.name(), why, spans, since(began));
                    return;
                }
            } catch (IOException unreachable) {
                why = unreachable.toString();
            }
            if (isClosed()) {
                dropped.add(spans);
                return;
            }
            if (!failed) {
                events.exportFailed(to.name(), why, pause);
                failed = true;
            }
            Thread.sleep(pause);
            pause = pause.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause.multipliedBy(2);
        }
    }

    private static Duration since(long nanoTime) {
        return Duration.ofNanos(System.nanoTime() - nanoTime);
    }

    private static String shortened(String text) {
        return (text.length() > 200 ? text.substring(0, 200) : text).strip();
    }

    private HttpRequest request(List<ResourceSpans> batch) {
        var request = HttpRequest.newBuilder(to.uri()).timeout(Duration.ofSeconds(10));
        return switch (to.format()) {
            case OTLP ->
                request.header("Content-Type", "application/x-protobuf")
                        .POST(BodyPublishers.ofByteArray(ExportTraceServiceRequest.newBuilder()
                                .addAllResourceSpans(batch)
                                .build()
                                .toByteArray()))
                        .build();
            case ZIPKIN ->
                request.header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofString(Zipkin.json(batch), StandardCharsets.UTF_8))
                        .build();
        };
    }

    /// What is waiting is tried once more.
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            notifyAll();
        }
        try {
            if (!thread.join(FAREWELL)) {
                thread.interrupt();
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        http.shutdownNow();
    }
}
