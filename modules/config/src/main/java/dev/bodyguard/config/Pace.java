package dev.bodyguard.config;

import java.time.Duration;

/// When a change becomes a generation: a moment after it came, so that what belongs together goes together, and some
/// time after the last one, so that whoever changes something all the time does not keep everybody busy.
///
/// @param gather how long to wait for more
/// @param apart between two generations, and so the longest that any change waits
/// @param doubt how long a rule may lead to what nobody knows before its author is told: workloads come when they come
record Pace(Duration gather, Duration apart, Duration doubt) {
    /// Five generations a second, and far less than the second in which an edit has to be in force.
    static final Pace ORDINARY = new Pace(Duration.ofMillis(20), Duration.ofMillis(200), Duration.ofSeconds(30));

    /// The moment for the next generation, by [System#nanoTime()].
    ///
    /// @param changed when the first change came that is not in a generation
    /// @param published when the last generation was
    long due(long changed, long published) {
        long gathered = changed + gather.toNanos();
        long rested = published + apart.toNanos();
        return gathered - rested > 0 ? gathered : rested;
    }
}
