package dev.bodyguard.proxy.sidecar;

import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/// What is still missing before this sidecar may be sent traffic.
///
/// Any thread may say that something arrived, or that it is lost again.
final class Readiness {
    enum Need {
        CERTIFICATE("no certificate yet: identity has not answered"),
        LISTENERS("the inbound and outbound ports are not open yet"),
        INBOUND("config has not said yet how to serve the app's port"),
        OUTBOUND("config has not said yet what to do with unknown hosts"),
        APP("the app does not listen on the port of --app-port"),
        ENROLLED("discovery has not acknowledged this workload yet");

        final String sentence;

        Need(String sentence) {
            this.sentence = sentence;
        }
    }

    private final Set<Need> needs;
    // Guarded by this.
    private final Set<Need> met = EnumSet.noneOf(Need.class);
    private boolean draining;

    Readiness() {
        this(EnumSet.allOf(Need.class));
    }

    /// @param needs all that has to be met
    Readiness(Set<Need> needs) {
        this.needs = EnumSet.copyOf(needs);
    }

    synchronized void met(Need need) {
        if (met.add(need)) {
            notifyAll();
        }
    }

    /// What was met is not any more.
    synchronized void lost(Need need) {
        met.remove(need);
    }

    synchronized void drain() {
        draining = true;
    }

    synchronized boolean isDraining() {
        return draining;
    }

    /// Blocks until every given need is met.
    synchronized void await(Need... wanted) throws InterruptedException {
        while (!met.containsAll(List.of(wanted))) {
            wait();
        }
    }

    /// Whether every given need is met now.
    synchronized boolean has(Need... wanted) {
        return met.containsAll(List.of(wanted));
    }

    /// Blocks until every given need is met, or for so long; tells which.
    synchronized boolean await(Duration atMost, Need... wanted) throws InterruptedException {
        long until = System.nanoTime() + atMost.toNanos();
        while (!met.containsAll(List.of(wanted))) {
            long left = until - System.nanoTime();
            if (left <= 0) {
                return false;
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
        return true;
    }

    /// Why not, in sentences; empty when ready.
    synchronized List<String> missing() {
        if (draining) {
            return List.of("draining: this sidecar is about to end");
        }
        return needs.stream()
                .filter(need -> !met.contains(need))
                .map(need -> need.sentence)
                .toList();
    }
}
