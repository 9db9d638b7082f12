package dev.bodyguard.proxy.engine;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// Among which of a cluster's endpoints its balancer chooses now: those that are ready and not ejected, of the
/// first priority that has any. Where too few are left it chooses among all that are ready, ejected or not
/// (Envoy's panic). Those that have come not long ago count for less. Requests only look whether anything has
/// changed; who finds that it has works it out anew.
final class Choice {
    private final List<Level> levels;
    private final int panicBelow;
    private final @Nullable Outliers outliers;
    private final @Nullable Warming warming;
    private final Balancer nobody;
    private volatile Now now;

    /// @param levels by priority, those without anybody ready left out
    /// @param panicBelow percent of a priority's endpoints that have to be left; with 0 there is no panic
    /// @param outliers null where nobody is ejected
    /// @param warming null where all count in full from the beginning
    /// @param nobody chooses nobody
    Choice(
            List<Level> levels,
            int panicBelow,
            @Nullable Outliers outliers,
            @Nullable Warming warming,
            Balancer nobody) {
        this.levels = List.copyOf(levels);
        this.panicBelow = panicBelow;
        this.outliers = outliers;
        this.warming = warming;
        this.nobody = nobody;
        this.now = at(0, step());
    }

    /// The endpoints of one priority.
    ///
    /// @param all how many there are, ready or not
    /// @param balancer over those that are ready
    record Level(List<Endpoint> ready, int all, Balancer balancer) {
        Level {
            ready = List.copyOf(ready);
        }
    }

    /// @param version of the ejections by which this is so
    /// @param step of the way to where all count in full
    /// @param panic whether ejected ones are among them
    record Now(long version, long step, Balancer balancer, List<Endpoint> among, boolean panic) {}

    boolean ejects() {
        return outliers != null;
    }

    boolean warms() {
        return warming != null;
    }

    /// The part of its weight that an endpoint counts for now.
    double share(Endpoint endpoint) {
        return warming == null ? 1 : warming.share(endpoint);
    }

    Now now() {
        if (outliers == null && warming == null) {
            return now;
        }
        long version = outliers == null ? 0 : outliers.version();
        long step = step();
        Now seen = now;
        if (seen.version == version && seen.step == step) {
            return seen;
        }
        Now next = at(version, step);
        now = next;
        return next;
    }

    private long step() {
        return warming == null ? Warming.OVER : warming.step();
    }

    private Now at(long version, long step) {
        for (int i = 0; i < levels.size(); i++) {
            Level level = levels.get(i);
            List<Endpoint> left = left(level);
            if (left.size() == level.ready.size()) {
                return all(level, version, step, false);
            }
            if (!left.isEmpty()) {
                return tooFew(left, level) && isEmptyBelow(i)
                        ? all(level, version, step, true)
                        : new Now(version, step, among(level, left, step), left, false);
            }
        }
        return panicBelow > 0 && !levels.isEmpty()
                ? all(levels.getFirst(), version, step, true)
                : new Now(version, step, nobody, List.of(), false);
    }

    private Now all(Level level, long version, long step, boolean panic) {
        Balancer balancer = step == Warming.OVER ? level.balancer : among(level, level.ready, step);
        return new Now(version, step, balancer, level.ready, panic);
    }

    private Balancer among(Level level, List<Endpoint> some, long step) {
        return warming == null || step == Warming.OVER
                ? level.balancer.among(some)
                : level.balancer.among(some, warming.shares(some));
    }

    private boolean tooFew(List<Endpoint> left, Level level) {
        return 100L * left.size() < (long) panicBelow * level.all;
    }

    private boolean isEmptyBelow(int priority) {
        return levels.stream().skip(priority + 1L).allMatch(level -> left(level).isEmpty());
    }

    private static List<Endpoint> left(Level level) {
        return level.ready.stream().filter(endpoint -> !endpoint.isEjected()).toList();
    }
}
