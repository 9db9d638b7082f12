package dev.bodyguard.telemetry.service;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// Durations by the buckets that sidecars count in, in milliseconds.
final class Latencies {
    private static final double[] BOUNDS = {
        0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
        3_600_000
    };
    static final int BUCKETS = BOUNDS.length + 1;

    private Latencies() {}

    /// Somebody's buckets in ours; one that lies across several goes into the last of them.
    ///
    /// @param counts one more than bounds
    static long[] inOurs(List<Double> bounds, List<Long> counts) {
        var ours = new long[BUCKETS];
        for (int i = 0; i < counts.size(); i++) {
            double upper = i < bounds.size() ? bounds.get(i) : Double.POSITIVE_INFINITY;
            int bucket = 0;
            while (bucket < BOUNDS.length && !(upper <= BOUNDS[bucket])) {
                bucket++;
            }
            ours[bucket] += counts.get(i);
        }
        return ours;
    }

    /// The quantile, by the straight line through its bucket; null where nothing was counted.
    static @Nullable Double quantile(long[] counts, double quantile) {
        long total = 0;
        for (long count : counts) {
            total += count;
        }
        if (total == 0) {
            return null;
        }
        double rank = quantile * total;
        double before = 0;
        for (int i = 0; i < counts.length; i++) {
            if (counts[i] > 0 && before + counts[i] >= rank) {
                double from = i == 0 ? 0 : BOUNDS[i - 1];
                double to = i < BOUNDS.length ? BOUNDS[i] : from;
                return from + (to - from) * (rank - before) / counts[i];
            }
            before += counts[i];
        }
        return BOUNDS[BOUNDS.length - 1];
    }
}
