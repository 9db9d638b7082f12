package dev.bodyguard.telemetry.service;

import org.jspecify.annotations.Nullable;

/// What was counted within the last minute, in slots of five seconds.
final class Window {
    static final int SECONDS = 60;
    private static final int SLOT_SECONDS = 5;
    private static final int SLOTS = SECONDS / SLOT_SECONDS;

    private final @Nullable Slot[] slots = new Slot[SLOTS];

    /// Counts of a time.
    static final class Slot {
        private long number = Long.MIN_VALUE;
        long requests;
        long successes;
        /// Of requests of which it is known whether they came by mutual TLS.
        long secured;

        long mutualTls;
        final long[] durations = new long[Latencies.BUCKETS];

        private void add(Slot other) {
            requests += other.requests;
            successes += other.successes;
            secured += other.secured;
            mutualTls += other.mutualTls;
            for (int i = 0; i < durations.length; i++) {
                durations[i] += other.durations[i];
            }
        }
    }

    /// The slot of this moment, to add to.
    Slot now(long seconds) {
        long number = seconds / SLOT_SECONDS;
        int at = (int) (number % SLOTS);
        var slot = slots[at];
        if (slot == null || slot.number != number) {
            slot = new Slot();
            slot.number = number;
            slots[at] = slot;
        }
        return slot;
    }

    /// All that is not older than a minute.
    Slot sum(long seconds) {
        long number = seconds / SLOT_SECONDS;
        var sum = new Slot();
        for (var slot : slots) {
            if (slot != null && slot.number > number - SLOTS) {
                sum.add(slot);
            }
        }
        return sum;
    }

    /// How long [#sum] reaches back.
    static long reach(long seconds) {
        return SECONDS - SLOT_SECONDS + seconds % SLOT_SECONDS;
    }
}
