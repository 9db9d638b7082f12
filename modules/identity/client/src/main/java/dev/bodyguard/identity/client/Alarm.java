package dev.bodyguard.identity.client;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/// Waits for a time of the clock.
interface Alarm {
    void sleepUntil(Instant when) throws InterruptedException;

    /// By naps, since a clock may be set and a laptop may be closed.
    static Alarm by(InstantSource clock) {
        var nap = Duration.ofSeconds(30);
        return when -> {
            while (true) {
                var rest = Duration.between(clock.instant(), when);
                if (rest.isNegative() || rest.isZero()) {
                    return;
                }
                // Rounded up: a nap of 0 ms would spin.
                Thread.sleep((rest.compareTo(nap) > 0 ? nap : rest).plusNanos(999_999));
            }
        };
    }
}
