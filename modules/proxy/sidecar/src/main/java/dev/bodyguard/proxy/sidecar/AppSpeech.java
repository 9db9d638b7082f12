package dev.bodyguard.proxy.sidecar;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;

/// What was found out about the protocol of each of the app's ports: that it answers HTTP/2 with something else.
/// Believed for a
/// while, since the app may be replaced by one that speaks it; then one request finds out anew. From any loop.
final class AppSpeech {
    static final Duration BELIEVED = Duration.ofMinutes(1);

    private final LongSupplier nanoClock;
    private final long start;
    /// By port, nanoseconds after the start until which it is believed. Ports are those that the plan has.
    private final Map<Integer, Long> until = new ConcurrentHashMap<>();

    /// @param nanoClock as `System::nanoTime`
    AppSpeech(LongSupplier nanoClock) {
        this.nanoClock = nanoClock;
        this.start = nanoClock.getAsLong();
    }

    boolean isHttp1Only(int port) {
        return nanoClock.getAsLong() - start < until.getOrDefault(port, 0L);
    }

    void foundHttp1(int port) {
        until.put(port, nanoClock.getAsLong() - start + BELIEVED.toNanos());
    }
}
