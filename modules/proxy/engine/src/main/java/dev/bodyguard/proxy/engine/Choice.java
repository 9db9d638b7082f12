package dev.bodyguard.proxy.engine;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// Among which of a cluster's endpoints its balancer chooses now: those that are ready and not ejected, of the
/// first priority that has any. Where too few are left it chooses among all that are ready, ejected or not
/// (Envoy's panic). Requests only look whether anything has changed; who finds that it has works it out anew.
final class Choice {
    private final List<Level> levels;
    private final int panicBelow;
    private final @Nullable Outliers outliers;
    private final Balancer nobody;
    private volatile Now now;

    /// @param levels by priority, those without anybody ready left out
    /// @param panicBelow percent of a priority's endpoints that have to be left; with 0 there is no panic
    /// @param outliers null where nobody is ejected
    /// @param nobody chooses nobody
    Choice(List<Level> levels, int panicBelow, @Nullable Outliers outliers, Balancer nobody) {
        this.levels = List.copyOf(levels);
        this.panicBelow = panicBelow;
        this.outliers = outliers;
        this.nobody = nobody;
        this.now = levels.isEmpty() ? new Now(0, nobody, List.of(), false) : all(levels.getFirst(), 0, false);
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
    /// @param panic whether ejected ones are among them
    record Now(long version, Balancer balancer, List<Endpoint> among, boolean panic) {}

    boolean ejects() {
        return outliers != null;
    }

    Now now() {
        if (outliers == null) {
            return now;
        }
        long version = outliers.version();
        Now seen = now;
        if (seen.version == version) {
            return seen;
        }
        Now next = at(version);
        now = next;
        return next;
    }

    private Now at(long version) {
        for (int i = 0; i < levels.size(); i++) {
            Level level = levels.get(i);
            List<Endpoint> left = left(level);
            if (left.size() == level.ready.size()) {
                return all(level, version, false);
            }
            if (!left.isEmpty()) {
                return tooFew(left, level) && isEmptyBelow(i)
                        ? all(level, version, true)
                        : new Now(version, level.balancer.among(left), left, false);
            }
        }
        return panicBelow > 0 && !levels.isEmpty()
                ? all(levels.getFirst(), version, true)
                : new Now(version, nobody, List.of(), false);
    }

    private static Now all(Level level, long version, boolean panic) {
        return new Now(version, level.balancer, level.ready, panic);
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
