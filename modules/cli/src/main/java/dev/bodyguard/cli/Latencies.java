package dev.bodyguard.cli;

import java.util.concurrent.atomic.AtomicLongArray;

/// Durations in buckets that are 5 % apart, from a microsecond on: enough for a percentile, and never larger.
final class Latencies {
    private static final double STEP = Math.log(1.05);
    private static final int BUCKETS = 500;

    private final AtomicLongArray counts = new AtomicLongArray(BUCKETS);

    void record(long nanos) {
        int bucket = (int) (Math.log(Math.max(1, nanos / 1_000.0)) / STEP);
        counts.incrementAndGet(Math.min(bucket, BUCKETS - 1));
    }

    /// The middle of the bucket that holds the given share of all durations, in milliseconds; 0 if there are none.
    double millisAt(double share) {
        long all = 0;
        for (int i = 0; i < BUCKETS; i++) {
            all += counts.get(i);
        }
        long wanted = Math.max(1, (long) Math.ceil(all * share));
        long seen = 0;
        for (int i = 0; i < BUCKETS; i++) {
            seen += counts.get(i);
            if (seen >= wanted) {
                return Math.exp((i + 0.5) * STEP) / 1_000;
            }
        }
        return 0;
    }
}
