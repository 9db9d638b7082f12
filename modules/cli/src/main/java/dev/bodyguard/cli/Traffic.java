package dev.bodyguard.cli;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/// Callers of the entry, from outside the mesh: each waits for its answer before it calls again.
final class Traffic {
    private static final int CALLERS = 16;
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final HttpClient http;
    private final URI entry;
    private final long atMost;
    private final long nanosApart;
    private final long deadline;
    private final long began = System.nanoTime();

    private final AtomicLong started = new AtomicLong();
    private final AtomicLong finished = new AtomicLong();
    private final AtomicLong succeeded = new AtomicLong();
    private final Map<String, AtomicLong> byVersion = new ConcurrentHashMap<>();
    private final Latencies latencies = new Latencies();
    private final List<Thread> callers = new ArrayList<>();
    private final CountDownLatch callersLeft = new CountDownLatch(CALLERS);
    private volatile boolean stopping;

    /// @param atMost the number of requests after which to end
    /// @param perSecond how many requests to start each second, 0 for as many as are answered
    Traffic(HttpClient http, URI entry, long atMost, Duration forThatLong, int perSecond) {
        this.http = http;
        this.entry = entry;
        this.atMost = atMost;
        this.nanosApart = perSecond == 0 ? 0 : TimeUnit.SECONDS.toNanos(1) / perSecond;
        this.deadline = forThatLong.toNanos();
    }

    void start() {
        for (int i = 0; i < CALLERS; i++) {
            callers.add(Thread.ofVirtual().name("caller-" + i).start(this::call));
        }
    }

    /// Whether all callers have ended.
    boolean await(Duration wait) throws InterruptedException {
        return callersLeft.await(wait.toNanos(), TimeUnit.NANOSECONDS);
    }

    void stop() {
        stopping = true;
        callers.forEach(Thread::interrupt);
    }

    Progress progress(Scrapes scrapes) {
        var versions = new TreeMap<String, Long>();
        byVersion.forEach((version, count) -> versions.put(version, count.get()));
        // Successes first: every one of them is among the finished that are read after.
        long good = succeeded.get();
        return new Progress(
                finished.get(),
                good,
                scrapes.retries(),
                versions,
                scrapes.mutualTlsShare(),
                latencies.millisAt(0.50),
                latencies.millisAt(0.99),
                scrapes.spans());
    }

    /// How many were answered, or failed.
    long finished() {
        return finished.get();
    }

    private void call() {
        try {
            while (!stopping) {
                long number = started.getAndIncrement();
                if (number >= atMost || !isTimeFor(number)) {
                    return;
                }
                one(number);
            }
        } catch (InterruptedException _) {
            // Told to stop: the request on its way is not counted.
        } finally {
            callersLeft.countDown();
        }
    }

    private boolean isTimeFor(long number) throws InterruptedException {
        long due = number * nanosApart;
        for (long wait; !stopping && (wait = due - (System.nanoTime() - began)) > 0; ) {
            if (due > deadline) {
                return false;
            }
            LockSupport.parkNanos(wait);
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        }
        return System.nanoTime() - began < deadline;
    }

    private void one(long number) throws InterruptedException {
        long sent = System.nanoTime();
        try {
            var request = HttpRequest.newBuilder(entry.resolve("/payments/" + number))
                    .timeout(PATIENCE)
                    .build();
            HttpResponse<String> response = http.send(request, BodyHandlers.ofString());
            if (response.statusCode() == 200) {
                succeeded.incrementAndGet();
            }
            if (Json.object(response.body()).get("paymentVersion") instanceof String version) {
                byVersion.computeIfAbsent(version, _ -> new AtomicLong()).incrementAndGet();
            }
        } catch (IOException _) {
            // Counted as a request that did not succeed.
        }
        latencies.record(System.nanoTime() - sent);
        finished.incrementAndGet();
    }
}
