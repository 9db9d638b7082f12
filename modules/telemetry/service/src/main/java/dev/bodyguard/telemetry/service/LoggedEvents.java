package dev.bodyguard.telemetry.service;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/// Each event as a line; what peers can cause at will is told once in ten seconds.
public final class LoggedEvents implements Events {
    private static final long BETWEEN_REFUSALS = Duration.ofSeconds(10).toNanos();

    private final Logger log;
    private final AtomicLong nextRefusal = new AtomicLong(System.nanoTime());

    public LoggedEvents(Logger log) {
        this.log = log;
    }

    @Override
    public void refused(String peer, String why) {
        long due = nextRefusal.get();
        long now = System.nanoTime();
        if (now - due >= 0 && nextRefusal.compareAndSet(due, now + BETWEEN_REFUSALS)) {
            log.log(Level.WARNING, "a report of " + peer + " was not taken: " + why);
        }
    }

    @Override
    public void exportFailed(String target, String why, Duration retryIn) {
        log.log(
                Level.WARNING,
                "spans do not reach " + target + ": " + why + "; next try in " + retryIn.toMillis() + " ms");
    }

    @Override
    public void exportRefused(String target, String why, int spans) {
        log.log(Level.WARNING, spans + " spans were refused by " + target + ": " + why);
    }

    @Override
    public void exportResumed(String target) {
        log.log(Level.INFO, "spans reach " + target + " again");
    }
}
