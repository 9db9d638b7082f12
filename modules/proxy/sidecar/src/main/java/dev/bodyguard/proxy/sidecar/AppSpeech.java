package dev.bodyguard.proxy.sidecar;

import java.time.Duration;
import java.util.function.LongSupplier;

/// What was found out about the protocol of the app's port: that it answers HTTP/2 with something else. Believed for a
/// while, since the app may be replaced by one that speaks it; then one request finds out anew. From any loop.
final class AppSpeech {
    static final Duration BELIEVED = Duration.ofMinutes(1);

    private final LongSupplier nanoClock;
    private final long start;
    /// Nanoseconds after the start until which it is believed.
    private volatile long until;

    /// @param nanoClock as `System::nanoTime`
    AppSpeech(LongSupplier nanoClock) {
        this.nanoClock = nanoClock;
        this.start = nanoClock.getAsLong();
    }

    boolean isHttp1Only() {
        return nanoClock.getAsLong() - start < until;
    }

    void foundHttp1() {
        until = nanoClock.getAsLong() - start + BELIEVED.toNanos();
    }
}
