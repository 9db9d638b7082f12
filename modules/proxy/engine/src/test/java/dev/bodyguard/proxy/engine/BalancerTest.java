package dev.bodyguard.proxy.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BalancerTest {
    @Test
    void leastRequestPrefersTheIdleOne() {
        Endpoint[] endpoints = endpoints(1, 1);
        endpoints[0].requestStarted();
        var balancer = new Balancer.LeastRequest(endpoints);
        var random = new Random(1);

        for (int i = 0; i < 100; i++) {
            assertThat(balancer.pick(List.of(), random, 0)).isSameAs(endpoints[1]);
        }
    }

    @Test
    void idleEndpointsShareEvenly() {
        assertThat(picks(new Balancer.LeastRequest(endpoints(1, 1, 1, 1)), 40_000)
                        .values())
                .allSatisfy(count -> assertThat(count).isBetween(9_500, 10_500));
    }

    @Test
    void sharesConvergeToWeights() {
        assertThat(picks(new Balancer.Chance(endpoints(1, 3)), 40_000).get(2)).isBetween(29_500, 30_500);
        assertThat(picks(new Balancer.RoundRobin(endpoints(1, 3), new AtomicInteger()), 40_000))
                .containsExactlyInAnyOrderEntriesOf(Map.of(1, 10_000, 2, 30_000));
    }

    /// A weight of a hundred each is no reason to send a hundred in a row to one.
    @Test
    void inTurnMeansNotAllOfOneAndThenAllOfTheOther() {
        var even = new Balancer.RoundRobin(endpoints(100, 100, 100), new AtomicInteger());
        for (int i = 0; i < 30; i++) {
            assertThat(picked(even, new Random(1), 0).port()).isEqualTo(i % 3 + 1);
        }

        var uneven = new Balancer.RoundRobin(endpoints(100, 300), new AtomicInteger());
        int inARow = 0;
        int last = 0;
        for (int i = 0; i < 400; i++) {
            int port = picked(uneven, new Random(1), 0).port();
            inARow = port == last ? inARow + 1 : 1;
            last = port;
            assertThat(inARow).isLessThanOrEqualTo(port == 1 ? 1 : 5);
        }
    }

    @Test
    void ofTwoThatAreBusyTheHeavierIsAsMuchBusier() {
        Endpoint[] endpoints = endpoints(1, 3);
        for (int i = 0; i < 5; i++) {
            endpoints[1].requestStarted();
        }
        endpoints[0].requestStarted();
        endpoints[0].requestStarted();
        var balancer = new Balancer.LeastRequest(endpoints);
        var random = new Random(1);

        for (int i = 0; i < 100; i++) {
            assertThat(balancer.pick(List.of(), random, 0)).isSameAs(endpoints[1]);
        }
    }

    @Test
    void roundRobinSurvivesItsCountersOverflow() {
        var balancer = new Balancer.RoundRobin(endpoints(1, 1), new AtomicInteger(Integer.MAX_VALUE - 5));

        assertThat(picks(balancer, 100)).containsOnlyKeys(1, 2);
    }

    @Test
    void triedEndpointsAreAvoidedWhileThereIsAnother() {
        Endpoint[] endpoints = endpoints(1, 1, 1);
        var random = new Random(1);
        for (Balancer balancer : List.of(
                new Balancer.LeastRequest(endpoints),
                new Balancer.RoundRobin(endpoints, new AtomicInteger()),
                new Balancer.Chance(endpoints),
                new Balancer.RingHash(endpoints, 1_024),
                new Balancer.Maglev(endpoints, 65_537))) {
            for (int i = 0; i < 50; i++) {
                assertThat(balancer.pick(List.of(endpoints[0], endpoints[2]), random, i))
                        .isSameAs(endpoints[1]);
            }
            assertThat(balancer.pick(List.of(endpoints), random, 0)).isIn((Object[]) endpoints);
        }
    }

    @Test
    void nothingReadyIsNoEndpoint() {
        var random = new Random(1);

        assertThat(new Balancer.LeastRequest(endpoints()).pick(List.of(), random, 0))
                .isNull();
        assertThat(new Balancer.RoundRobin(endpoints(), new AtomicInteger()).pick(List.of(), random, 0))
                .isNull();
        assertThat(new Balancer.Chance(endpoints()).pick(List.of(), random, 0)).isNull();
        assertThat(new Balancer.RingHash(endpoints(), 1_024).pick(List.of(), random, 0))
                .isNull();
        assertThat(new Balancer.Maglev(endpoints(), 65_537).pick(List.of(), random, -1))
                .isNull();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 100, 1_024, 100_000})
    void onARingOnlyTheKeysOfOneThatLeavesMove(int least) {
        var all = new Balancer.RingHash(endpoints(3, 1, 3, 2, 3), least);
        var fewer = new Balancer.RingHash(endpoints(3, 1, 3, 2), least);
        int ofTheLast = 0;

        for (int i = 0; i < 10_000; i++) {
            long hash = Hash.of("user-" + i);
            int before = picked(all, new Random(1), hash).port();
            int after = picked(fewer, new Random(1), hash).port();
            if (before == 5) {
                ofTheLast++;
            } else {
                assertThat(after).isEqualTo(before);
            }
        }

        assertThat(ofTheLast).isBetween(1_800, 3_200);
    }

    @Test
    void aRingOfVeryManyIsNoLargerThanItHasToBe() {
        var weights = new int[300_000];
        Arrays.fill(weights, 1);
        weights[7] = 1_000_000;

        assertThat(picked(new Balancer.RingHash(endpoints(weights), 1_024), new Random(1), 0))
                .isNotNull();
        var some = endpoints(Arrays.copyOf(weights, 3_000));
        var seen = new HashSet<Integer>();
        var ring = new Balancer.RingHash(some, 1_024);
        for (int i = 0; i < 10_000; i++) {
            seen.add(picked(ring, new Random(1), Hash.of("user-" + i)).port());
        }
        assertThat(seen).contains(8).hasSizeGreaterThan(1);
    }

    @Test
    void maglevsSharesAreTheWeights() {
        for (int[] weights : List.of(new int[] {1, 1, 1}, new int[] {1, 2, 5}, new int[] {1_000_000, 7, 1})) {
            var table = new Balancer.Maglev(endpoints(weights), 1_009);
            var slots = new HashMap<Integer, Integer>();
            for (int i = 0; i < 1_009; i++) {
                slots.merge(picked(table, new Random(1), i).port(), 1, Integer::sum);
            }
            double total = IntStream.of(weights).sum();
            for (int i = 0; i < weights.length; i++) {
                assertThat((double) slots.getOrDefault(i + 1, 0))
                        .isCloseTo(1_009 * weights[i] / total, Offset.offset((double) weights.length));
            }
        }
    }

    @Test
    void maglevMovesFewKeysWhenOneLeaves() {
        var all = new Balancer.Maglev(endpoints(1, 1, 1, 1, 1), 65_537);
        var fewer = new Balancer.Maglev(endpoints(1, 1, 1, 1), 65_537);
        int moved = 0;

        for (int i = 0; i < 10_000; i++) {
            int before = picked(all, new Random(1), Hash.of("user-" + i)).port();
            int after = picked(fewer, new Random(1), Hash.of("user-" + i)).port();
            moved += before != 5 && before != after ? 1 : 0;
        }

        assertThat(moved).isLessThan(10_000 / 100 * 5);
    }

    @Test
    void aTableMayBeSmallerThanItsEndpointsAreMany() {
        var table = new Balancer.Maglev(endpoints(1, 1, 1, 1), 3);

        assertThat(picked(table, new Random(1), Long.MIN_VALUE).port()).isBetween(1, 4);
        assertThat(picked(new Balancer.Maglev(endpoints(1), 2), new Random(1), -1)
                        .port())
                .isEqualTo(1);
    }

    @Test
    void whenOneMayNotBePickedOnlyItsKeysMove() {
        Endpoint[] endpoints = endpoints(1, 1, 2, 1);
        for (Balancer all : List.of(new Balancer.RingHash(endpoints, 1_024), new Balancer.Maglev(endpoints, 65_537))) {
            var without = all.among(List.of(endpoints[0], endpoints[1], endpoints[3]));
            var heirs = new HashMap<Integer, Integer>();
            for (int i = 0; i < 10_000; i++) {
                long hash = Hash.of("user-" + i);
                int before = picked(all, new Random(1), hash).port();
                int after = picked(without, new Random(1), hash).port();
                if (before == 3) {
                    heirs.merge(after, 1, Integer::sum);
                } else {
                    assertThat(after).isEqualTo(before);
                }
            }
            assertThat(heirs).containsOnlyKeys(1, 2, 4);
        }
    }

    @Test
    void onARingTheSharesAreAboutTheWeights() {
        var counts = new HashMap<Integer, Integer>();
        var ring = new Balancer.RingHash(endpoints(1, 1, 2, 4), 4_096);
        for (int i = 0; i < 40_000; i++) {
            counts.merge(picked(ring, new Random(1), Hash.of("user-" + i)).port(), 1, Integer::sum);
        }

        Map.of(1, 5_000, 2, 5_000, 3, 10_000, 4, 20_000)
                .forEach((port, fair) -> assertThat(counts.get(port)).isBetween(fair * 85 / 100, fair * 115 / 100));
    }

    private static Map<Integer, Integer> picks(Balancer balancer, int times) {
        var random = new Random(5);
        var counts = new HashMap<Integer, Integer>();
        for (int i = 0; i < times; i++) {
            counts.merge(picked(balancer, random, 0).port(), 1, Integer::sum);
        }
        return counts;
    }

    private static Endpoint picked(Balancer balancer, Random random, long hash) {
        return Objects.requireNonNull(balancer.pick(List.of(), random, hash));
    }

    /// Endpoints of these weights, at ports from 1 on.
    private static Endpoint[] endpoints(int... weights) {
        var endpoints = new Endpoint[weights.length];
        for (int i = 0; i < weights.length; i++) {
            endpoints[i] = new Endpoint(
                    "10.0.0.1",
                    i + 1,
                    weights[i],
                    Endpoint.Workload.UNKNOWN,
                    new Transport.Plaintext(false),
                    true,
                    new AtomicInteger(),
                    null);
        }
        return endpoints;
    }
}
