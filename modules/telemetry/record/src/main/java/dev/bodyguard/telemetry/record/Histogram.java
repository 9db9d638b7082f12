package dev.bodyguard.telemetry.record;

import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;

/// Counts by Envoy's buckets. Values are whole numbers of some small unit, the buckets' bounds of a larger one.
final class Histogram {
    /// Upper bounds in the unit that is shown.
    private static final double[] BOUNDS = {
        0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
        3_600_000
    };

    private static final String[] LE = {
        "0.5", "1", "5", "10", "25", "50", "100", "250", "500", "1000", "2500", "5000", "10000", "30000", "60000",
        "300000", "600000", "1800000", "3600000"
    };

    private final long scale;
    private final AtomicLongArray counts = new AtomicLongArray(BOUNDS.length + 1);
    private final LongAdder sum = new LongAdder();

    /// An empty one.
    ///
    /// @param scale how many of the unit that is recorded make one that is shown
    Histogram(long scale) {
        this.scale = scale;
    }

    void record(long value) {
        double shown = (double) value / scale;
        int bucket = 0;
        while (bucket < BOUNDS.length && shown > BOUNDS[bucket]) {
            bucket++;
        }
        counts.getAndIncrement(bucket);
        sum.add(value);
    }

    long[] counts() {
        var counted = new long[BOUNDS.length + 1];
        for (int i = 0; i < counted.length; i++) {
            counted[i] = counts.get(i);
        }
        return counted;
    }

    double sum() {
        return (double) sum.sum() / scale;
    }

    static double[] bounds() {
        return BOUNDS;
    }

    /// Its lines, of a family's name and with labels that need no escaping any more.
    void write(StringBuilder to, String name, String labels) {
        long total = 0;
        for (int i = 0; i <= BOUNDS.length; i++) {
            total += counts.get(i);
            to.append(name).append("_bucket{").append(labels);
            to.append(labels.isEmpty() ? "le=\"" : ",le=\"");
            to.append(i < BOUNDS.length ? LE[i] : "+Inf").append("\"} ");
            to.append(total).append('\n');
        }
        to.append(name).append("_sum");
        Meters.labelled(to, labels);
        to.append(' ').append(sum()).append('\n');
        to.append(name).append("_count");
        Meters.labelled(to, labels);
        to.append(' ').append(total).append('\n');
    }
}
