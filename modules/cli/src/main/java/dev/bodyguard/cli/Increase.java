package dev.bodyguard.cli;

/// How much a counter grew since its first reading, restarts of its process included.
final class Increase {
    private double last = Double.NaN;
    private double total;

    void read(double value) {
        if (!Double.isNaN(last)) {
            // A counter that fell started again at zero.
            total += value >= last ? value - last : value;
        }
        last = value;
    }

    double total() {
        return total;
    }
}
