package dev.bodyguard.proxy.engine;

import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// How much of its weight an endpoint counts for that has come not long ago, as Envoy's slow start has it: as
/// much as the part of the window that is over, bent by the aggression.
///
/// @param window nanoseconds until it counts in full
/// @param least part that it counts for from the beginning, 0 to 1
/// @param aggression above 0; with 1 it grows evenly, with more it is faster in the beginning
record SlowStart(long window, double least, double aggression) {
    private static final double DEFAULT_LEAST = 0.1;
    private static final long FIRST = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long SHORTEST_STEP = TimeUnit.MILLISECONDS.toNanos(10);
    private static final int STEPS = 100;

    /// Null where the window is nothing.
    static @Nullable SlowStart compile(Cluster.SlowStartConfig config, String field) throws Invalid {
        Duration window = Hosts.duration(config.getSlowStartWindow(), field + ".slow_start_window");
        double aggression = config.hasAggression() ? config.getAggression().getDefaultValue() : 1;
        if (!(aggression > 0 && Double.isFinite(aggression))) {
            throw new Invalid(field + ".aggression", "must be above 0, was " + aggression);
        }
        double least = DEFAULT_LEAST;
        if (config.hasMinWeightPercent()) {
            double percent = config.getMinWeightPercent().getValue();
            if (!(percent >= 0 && percent <= 100)) {
                throw new Invalid(field + ".min_weight_percent", "must be 0 to 100, was " + percent);
            }
            least = percent / 100;
        }
        return window.isZero() ? null : new SlowStart(TimeUnit.NANOSECONDS.convert(window), least, aggression);
    }

    /// The part of its weight that an endpoint counts for.
    ///
    /// @param age nanoseconds since it has come
    double share(long age) {
        return age >= window ? 1 : Math.max(least, Math.pow(Math.max(FIRST, age) / (double) window, 1 / aggression));
    }

    /// Nanoseconds for which shares are as good as constant.
    long step() {
        return Math.max(SHORTEST_STEP, window / STEPS);
    }
}
