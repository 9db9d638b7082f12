package dev.bodyguard.proxy.engine;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Chooses an endpoint among those that are ready.
public sealed interface Balancer {
    /// An endpoint for an attempt.
    ///
    /// @param tried endpoints to avoid while there is another
    /// @param hash of what the route hashes by; only balancers that hash look at it
    /// @return null where nothing is ready
    @Nullable
    Endpoint pick(Collection<Endpoint> tried, RandomGenerator random, long hash);

    /// One that chooses in the same way among some of the same endpoints.
    Balancer among(List<Endpoint> some);

    /// One that chooses in the same way among some of the same endpoints, which count for less than they weigh.
    /// Chance and keys do not heed that, as in Envoy.
    ///
    /// @param shares part of its weight that each counts for
    default Balancer among(List<Endpoint> some, double[] shares) {
        return among(some);
    }

    /// Of two drawn by weight, the one with fewer requests under way for its weight.
    final class LeastRequest implements Balancer {
        private final Weighted ready;

        LeastRequest(Endpoint[] ready) {
            this(new Weighted(ready));
        }

        private LeastRequest(Weighted ready) {
            this.ready = ready;
        }

        @Override
        public @Nullable Endpoint pick(Collection<Endpoint> tried, RandomGenerator random, long hash) {
            Weighted from = ready.without(tried);
            if (from.size() <= 1) {
                return from.size() == 0 ? null : from.at(0);
            }
            int first = from.draw(random);
            // The second is another one: of two idle endpoints each gets its turn, and a busy one is never compared
            // with itself.
            int second = from.drawOther(first, random);
            return from.isLessLoaded(second, first) ? from.at(second) : from.at(first);
        }

        @Override
        public Balancer among(List<Endpoint> some) {
            return new LeastRequest(some.toArray(Endpoint[]::new));
        }

        @Override
        public Balancer among(List<Endpoint> some, double[] shares) {
            return new LeastRequest(Weighted.partly(some, shares));
        }
    }

    /// One after the other, each as often as its weight says.
    final class RoundRobin implements Balancer {
        private final Weighted ready;
        private final AtomicInteger turn;

        RoundRobin(Endpoint[] ready, AtomicInteger turn) {
            this(new Weighted(ready), turn);
        }

        private RoundRobin(Weighted ready, AtomicInteger turn) {
            this.ready = ready;
            this.turn = turn;
        }

        @Override
        public @Nullable Endpoint pick(Collection<Endpoint> tried, RandomGenerator random, long hash) {
            Weighted from = ready.without(tried);
            if (from.size() == 0) {
                return null;
            }
            return from.at(from.inTurn(turn.getAndIncrement()));
        }

        @Override
        public Balancer among(List<Endpoint> some) {
            return new RoundRobin(some.toArray(Endpoint[]::new), turn);
        }

        @Override
        public Balancer among(List<Endpoint> some, double[] shares) {
            return new RoundRobin(Weighted.partly(some, shares), turn);
        }
    }

    /// By chance and weight.
    final class Chance implements Balancer {
        private final Weighted ready;

        Chance(Endpoint[] ready) {
            this.ready = new Weighted(ready);
        }

        @Override
        public @Nullable Endpoint pick(Collection<Endpoint> tried, RandomGenerator random, long hash) {
            Weighted from = ready.without(tried);
            return from.size() == 0 ? null : from.at(from.draw(random));
        }

        @Override
        public Balancer among(List<Endpoint> some) {
            return new Chance(some.toArray(Endpoint[]::new));
        }
    }

    /// The endpoint whose point on the ring follows the hash: one key stays with one endpoint while it is
    /// there. Where that may not be picked the next one along the ring is, so that nobody else's keys move.
    ///
    /// How many points an endpoint has depends on how many others there are only where they are very many, and
    /// on their weights only by the greatest. So nobody else's keys move either when one leaves, or move when
    /// one comes but to it; dividing a fixed number of points among all, as Envoy does, would move a part of them.
    final class RingHash implements Balancer {
        /// Endpoints that the least number of points is meant for; with fewer the shares are as even.
        private static final int MEANT_FOR = 4;

        private static final int LEAST_EACH = 64;
        private static final int MOST = 1 << 18;

        private final long[] points;
        private final Circle circle;

        /// @param least how many points there are at least, where there are at least four endpoints; whatever is asked,
        /// there
        /// are at most 262,144, which are memory of every caller's
        RingHash(Endpoint[] ready, int least) {
            long heaviest = 1;
            for (Endpoint endpoint : ready) {
                heaviest = Math.max(heaviest, endpoint.weight());
            }
            long each = Math.max(LEAST_EACH, Math.ceilDiv(least, MEANT_FOR));
            while (each > 1 && each * ready.length > MOST) {
                each = Math.ceilDiv(each, 2);
            }
            record Point(long at, Endpoint owner) {}
            var ring = new java.util.ArrayList<Point>();
            for (Endpoint endpoint : ready) {
                long own = Math.max(1, Math.ceilDiv(each * endpoint.weight(), heaviest));
                for (int i = 0; i < own; i++) {
                    ring.add(new Point(Hash.of(endpoint.address() + "_" + i), endpoint));
                }
            }
            ring.sort((a, b) -> Long.compareUnsigned(a.at, b.at));
            points = new long[ring.size()];
            var owners = new Endpoint[ring.size()];
            for (int i = 0; i < points.length; i++) {
                // Shifted so that the signed binary search finds unsigned neighbours.
                points[i] = ring.get(i).at ^ Long.MIN_VALUE;
                owners[i] = ring.get(i).owner;
            }
            circle = new Circle(owners, Set.copyOf(Arrays.asList(ready)));
        }

        private RingHash(long[] points, Circle circle) {
            this.points = points;
            this.circle = circle;
        }

        @Override
        public @Nullable Endpoint pick(Collection<Endpoint> tried, RandomGenerator random, long hash) {
            int found = Arrays.binarySearch(points, hash ^ Long.MIN_VALUE);
            return circle.from(found >= 0 ? found : -found - 1, tried);
        }

        @Override
        public Balancer among(List<Endpoint> some) {
            return new RingHash(points, circle.among(some));
        }
    }

    /// The endpoint that has the hash's slot in Maglev's table (Eisenbud et al., NSDI 2016, §3.4): each has
    /// slots as its weight says, one at least, and when one leaves few of the others' move. Where its holder
    /// may not be picked the next slot's is, so that nobody else's keys move.
    final class Maglev implements Balancer {
        /// A prime.
        private static final int MOST = 262_139;

        private final Circle circle;

        /// @param slots a prime, much larger than the number of endpoints; whatever is asked, there are at most
        /// 262,139, which
        /// are memory of every caller's
        Maglev(Endpoint[] ready, int slots) {
            circle = new Circle(
                    ready.length == 0 ? ready : fill(ready, Math.min(slots, MOST)), Set.copyOf(Arrays.asList(ready)));
        }

        private Maglev(Circle circle) {
            this.circle = circle;
        }

        /// Each in its turn, lighter ones not every time, takes the next free slot of its own permutation.
        private static Endpoint[] fill(Endpoint[] ready, int slots) {
            var table = new Endpoint[slots];
            var next = new long[ready.length];
            var step = new long[ready.length];
            long heaviest = 1;
            for (int i = 0; i < ready.length; i++) {
                long hash = Hash.of(ready[i].address());
                next[i] = Long.remainderUnsigned(hash, slots);
                step[i] = Long.remainderUnsigned(Hash.mix(hash), slots - 1) + 1;
                heaviest = Math.max(heaviest, ready[i].weight());
            }
            int taken = 0;
            for (long turn = 1; ; turn++) {
                for (int i = 0; i < ready.length; i++) {
                    long weight = ready[i].weight();
                    if (Math.ceilDiv(turn * weight, heaviest) == Math.ceilDiv((turn - 1) * weight, heaviest)) {
                        continue;
                    }
                    while (table[(int) next[i]] != null) {
                        next[i] = (next[i] + step[i]) % slots;
                    }
                    table[(int) next[i]] = ready[i];
                    taken++;
                    if (taken == slots) {
                        return table;
                    }
                }
            }
        }

        @Override
        public @Nullable Endpoint pick(Collection<Endpoint> tried, RandomGenerator random, long hash) {
            return circle.from((int) Long.remainderUnsigned(hash, Math.max(1, circle.size())), tried);
        }

        @Override
        public Balancer among(List<Endpoint> some) {
            return new Maglev(circle.among(some));
        }
    }

    /// Places in a circle, each of which has an owner.
    final class Circle {
        private final Endpoint[] owners;
        private final Set<Endpoint> among;

        private Circle(Endpoint[] owners, Set<Endpoint> among) {
            this.owners = owners;
            this.among = among;
        }

        int size() {
            return owners.length;
        }

        Circle among(List<Endpoint> some) {
            return new Circle(owners, Set.copyOf(some));
        }

        /// The first from a place on who may be picked, rather one who was not tried; null where nobody may.
        @Nullable
        Endpoint from(int place, Collection<Endpoint> tried) {
            boolean allTried = !tried.isEmpty() && tried.containsAll(among);
            for (int i = 0; i < owners.length; i++) {
                Endpoint owner = owners[(int) (((long) place + i) % owners.length)];
                if (among.contains(owner) && (allTried || !tried.contains(owner))) {
                    return owner;
                }
            }
            return null;
        }
    }

    /// Endpoints with the running totals of what they count for, which as a rule is their weights.
    final class Weighted {
        /// Of a weight that counts in part: fine enough for one in a thousand of what another counts for.
        private static final int FINE = 1_000;

        /// Of all parts of a whole the one whose multiples come closest to each other last.
        private static final double GOLDEN = (Math.sqrt(5) - 1) / 2;

        private final Endpoint[] endpoints;
        private final int[] weights;
        private final int[] upTo;
        private final boolean even;
        private final int stride;

        Weighted(Endpoint[] endpoints) {
            this(endpoints, Arrays.stream(endpoints).mapToInt(Endpoint::weight).toArray());
        }

        private Weighted(Endpoint[] endpoints, int[] weights) {
            this.endpoints = endpoints;
            this.weights = weights;
            upTo = new int[endpoints.length];
            boolean same = true;
            int sum = 0;
            for (int i = 0; i < endpoints.length; i++) {
                sum = Math.addExact(sum, weights[i]);
                upTo[i] = sum;
                same &= weights[i] == weights[0];
            }
            even = same;
            stride = same ? 1 : stride(sum);
        }

        /// Endpoints that count for a part of their weights.
        static Weighted partly(List<Endpoint> some, double[] shares) {
            long total = 0;
            for (Endpoint endpoint : some) {
                total += endpoint.weight();
            }
            // What is rounded up must fit, too.
            long fine = Math.clamp((Integer.MAX_VALUE - some.size()) / Math.max(1, total), 1, FINE);
            var weights = new int[shares.length];
            for (int i = 0; i < weights.length; i++) {
                weights[i] = (int) Math.max(1, Math.floor(some.get(i).weight() * fine * shares[i]));
            }
            return new Weighted(some.toArray(Endpoint[]::new), weights);
        }

        /// A step through so many tickets that meets each once before it meets one again, and that goes far, so
        /// that those of one holder do not come one after the other.
        private static int stride(int total) {
            int step = Math.max(1, (int) (total * GOLDEN));
            while (BigInteger.valueOf(step).gcd(BigInteger.valueOf(total)).intValue() != 1) {
                step++;
            }
            return step;
        }

        int size() {
            return endpoints.length;
        }

        private int total() {
            return upTo[upTo.length - 1];
        }

        Endpoint at(int index) {
            return endpoints[index];
        }

        /// Whether the one has fewer requests under way than the other, each for what it counts for.
        boolean isLessLoaded(int one, int other) {
            return (long) endpoints[one].active() * weights[other] < (long) endpoints[other].active() * weights[one];
        }

        /// Whose turn it is, each as often as it counts for.
        int inTurn(int turn) {
            return even
                    ? Math.floorMod(turn, endpoints.length)
                    : holder((int) ((long) Math.floorMod(turn, total()) * stride % total()));
        }

        int draw(RandomGenerator random) {
            return even ? random.nextInt(endpoints.length) : holder(random.nextInt(total()));
        }

        int drawOther(int not, RandomGenerator random) {
            if (even) {
                int other = random.nextInt(endpoints.length - 1);
                return other < not ? other : other + 1;
            }
            int own = weights[not];
            int ticket = random.nextInt(total() - own);
            return holder(ticket < upTo[not] - own ? ticket : ticket + own);
        }

        private int holder(int ticket) {
            int found = Arrays.binarySearch(upTo, ticket + 1);
            return found >= 0 ? found : -found - 1;
        }

        /// Itself without those, or with all where none would be left. Allocates, on retries only.
        Weighted without(Collection<Endpoint> tried) {
            if (tried.isEmpty()) {
                return this;
            }
            int[] left = IntStream.range(0, endpoints.length)
                    .filter(i -> !tried.contains(endpoints[i]))
                    .toArray();
            return left.length == 0 || left.length == endpoints.length
                    ? this
                    : new Weighted(
                            IntStream.of(left).mapToObj(i -> endpoints[i]).toArray(Endpoint[]::new),
                            IntStream.of(left).map(i -> weights[i]).toArray());
        }
    }
}
