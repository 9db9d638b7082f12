package dev.bodyguard.proxy.engine;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// Among which of a cluster's endpoints its balancer chooses now: those that are ready and not ejected, divided
/// as Envoy does. A priority takes all as long as enough of it are left, allowing for some to be out; what it
/// cannot take goes to the next. Where all priorities together cannot take everything, one of which too few are
/// left takes its share with all that are ready, ejected or not (Envoy's panic); where that is so of all of them,
/// each takes as many as are ready in it. Those that have come not long ago count for less. Requests only look whether
/// anything has changed; who finds that it has works it out
/// anew.
final class Choice {
    private final List<Level> levels;
    private final Terms terms;
    private final @Nullable Outliers outliers;
    private final @Nullable Warming warming;
    private volatile Now now;

    /// @param levels by priority
    /// @param outliers null where nobody is ejected
    /// @param warming null where all count in full from the beginning
    Choice(List<Level> levels, Terms terms, @Nullable Outliers outliers, @Nullable Warming warming) {
        this.levels = List.copyOf(levels);
        this.terms = terms;
        this.outliers = outliers;
        this.warming = warming;
        this.now = at(0, step());
    }

    /// What a cluster says of its endpoints as a whole.
    ///
    /// @param panicBelow percent of a priority's endpoints that have to be left; with 0 there is no panic
    /// @param overprovisioned percent that a priority could take if all of its endpoints were left, 100 or more
    /// @param byHash whether the balancers look at a request's hash, by which its part is chosen as well
    record Terms(int panicBelow, int overprovisioned, boolean byHash) {}

    /// The endpoints of one priority.
    record Level(List<Group> groups) {
        Level {
            groups = List.copyOf(groups);
        }

        int all() {
            return groups.stream().mapToInt(Group::all).sum();
        }

        int ready() {
            return groups.stream().mapToInt(group -> group.ready.size()).sum();
        }

        int left() {
            return groups.stream().mapToInt(group -> group.left().size()).sum();
        }
    }

    /// Endpoints of a priority that get a part of what it takes: those of one locality, or all.
    ///
    /// @param all how many there are, ready or not
    /// @param weight relative to the priority's other groups
    /// @param balancer over those that are ready
    record Group(List<Endpoint> ready, int all, int weight, Balancer balancer) {
        Group {
            ready = List.copyOf(ready);
        }

        List<Endpoint> left() {
            return ready.stream().filter(endpoint -> !endpoint.isEjected()).toList();
        }
    }

    /// @param version of the ejections by which this is so
    /// @param step of the way to where all count in full
    /// @param parts none where nobody may be chosen
    /// @param panic whether ejected ones are among them
    record Now(long version, long step, List<Part> parts, boolean byHash, List<Endpoint> among, boolean panic) {
        /// As of [ClusterPlan#pick].
        @Nullable
        Endpoint pick(Collection<Endpoint> tried, RandomGenerator random, long hash) {
            if (parts.isEmpty()) {
                return null;
            }
            if (parts.size() == 1) {
                return parts.getFirst().balancer.pick(tried, random, hash);
            }
            Endpoint picked = drawn(random, hash).balancer.pick(tried, random, hash);
            if (picked != null && !tried.isEmpty() && tried.contains(picked)) {
                return another(picked, tried, random, hash);
            }
            return picked;
        }

        private Part drawn(RandomGenerator random, long hash) {
            double all = parts.getLast().upTo;
            double ticket = all * (byHash ? (Hash.mix(hash) >>> 11) * 0x1p-53 : random.nextDouble());
            for (int i = 0; i < parts.size() - 1; i++) {
                if (ticket < parts.get(i).upTo) {
                    return parts.get(i);
                }
            }
            return parts.getLast();
        }

        /// Rather one of another part than one that was tried.
        private Endpoint another(Endpoint picked, Collection<Endpoint> tried, RandomGenerator random, long hash) {
            for (Part part : parts) {
                Endpoint other = part.balancer.pick(tried, random, hash);
                if (other != null && !tried.contains(other)) {
                    return other;
                }
            }
            return picked;
        }
    }

    /// @param upTo the end of its tickets, which begin at the end of the one before
    record Part(Balancer balancer, double upTo) {}

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
        long[] loads = levels.stream().mapToLong(this::health).toArray();
        long health = 0;
        for (long one : loads) {
            health += one;
        }
        Predicate<Level> panics;
        boolean enough = health >= 100;
        if (health > 0 && (enough || !levels.stream().allMatch(this::tooFew))) {
            panics = level -> !enough && tooFew(level);
            divide(loads, health);
        } else if (terms.panicBelow > 0) {
            panics = _ -> true;
            loads = levels.stream().mapToLong(Level::ready).toArray();
        } else {
            panics = _ -> false;
        }
        var parts = new ArrayList<Part>();
        var among = new ArrayList<Endpoint>();
        boolean panic = false;
        for (int i = 0; i < loads.length; i++) {
            if (loads[i] > 0) {
                Level level = levels.get(i);
                boolean panicked = panics.test(level);
                add(level, loads[i], panicked, step, parts, among);
                panic |= panicked;
            }
        }
        return new Now(version, step, List.copyOf(parts), terms.byHash, List.copyOf(among), panic);
    }

    /// Percent of everything that a priority could take.
    private long health(Level level) {
        return level.all() == 0 ? 0 : Math.min(100, (long) terms.overprovisioned * level.left() / level.all());
    }

    /// Has each priority take what those before it leave, as far as it can; where all together cannot take
    /// everything, each takes in proportion.
    private static void divide(long[] loads, long health) {
        long left = 100;
        int first = -1;
        for (int i = 0; i < loads.length; i++) {
            first = first < 0 && loads[i] > 0 ? i : first;
            loads[i] = Math.min(left, health >= 100 ? loads[i] : loads[i] * 100 / health);
            left -= loads[i];
        }
        // What rounding left.
        loads[first] += left;
    }

    private boolean tooFew(Level level) {
        return level.all() == 0 || 100L * level.left() < (long) terms.panicBelow * level.all();
    }

    private void add(Level level, long load, boolean panicked, long step, List<Part> parts, List<Endpoint> among) {
        double all = 0;
        for (Group group : level.groups) {
            all += weight(group, panicked);
        }
        for (Group group : level.groups) {
            double weight = weight(group, panicked);
            if (weight > 0) {
                List<Endpoint> some = panicked ? group.ready : group.left();
                double begin = parts.isEmpty() ? 0 : parts.getLast().upTo;
                parts.add(new Part(balancer(group, some, step), begin + load * weight / all));
                among.addAll(some);
            }
        }
    }

    /// A group loses of its part once it could not take it any more.
    private double weight(Group group, boolean panicked) {
        int some = panicked ? group.ready.size() : group.left().size();
        return some == 0
                ? 0
                : group.weight * (panicked ? 1 : Math.min(1, terms.overprovisioned / 100.0 * some / group.all));
    }

    private Balancer balancer(Group group, List<Endpoint> some, long step) {
        if (warming != null && step != Warming.OVER) {
            return group.balancer.among(some, warming.shares(some));
        }
        return some.size() == group.ready.size() ? group.balancer : group.balancer.among(some);
    }
}
