package dev.bodyguard.proxy.engine;

import static dev.bodyguard.proxy.engine.Given.endpoint;
import static org.assertj.core.api.Assertions.assertThat;

import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Endpoints of several priorities and localities: ports 1xx of the first, 2xx of the second and so on.
class PrioritiesTest {
    private static final int PICKS = 20_000;
    private static final String NO_PANIC = "common_lb_config { healthy_panic_threshold { } }";

    private final Resources resources = new Resources(new Loads());
    private final Random random = new Random(5);

    /// Envoy's documentation has such tables; percents that each priority gets by how many of ten it has left.
    @ParameterizedTest
    @CsvSource({
        "10 10 0, 100 0 0",
        "8 10 0, 100 0 0",
        "7 10 0, 98 2 0",
        "5 10 0, 70 30 0",
        "5 5 10, 70 30 0",
        "2 2 10, 28 28 44",
        "0 10 0, 0 100 0",
        "0 0 1, 0 0 100",
        "1 1 0, 50 50 0",
        "2 1 1, 50 25 25",
    })
    void aPriorityTakesWhatItCanAndTheNextTheRest(String left, String shares) {
        there(NO_PANIC, "", numbers(left));

        assertShares(shares);
    }

    @Test
    void theFactorCanBeSaid() {
        there(NO_PANIC, "policy { overprovisioning_factor { value: 100 } }", 8, 10);
        assertShares("80 20");
        there(NO_PANIC, "policy { overprovisioning_factor { value: 300 } }", 4, 10);
        assertShares("100 0");
    }

    /// Below half of those of a priority, and only where all together cannot take everything.
    @Test
    void aPriorityPanicsForItself() {
        var detecting = "outlier_detection { consecutive_5xx { value: 1 } max_ejection_percent { value: 100 } }";
        there(detecting, "", 10, 10);
        eject(1, 8);
        assertShares("28 72");
        assertThat(cluster().panics()).isFalse();

        eject(2, 5);
        // 28 and 70 of what would be needed, which is 98 of 100.
        assertShares("30 70");
        assertThat(cluster().panics()).isTrue();
        assertThat(byPort().keySet().stream().filter(port -> port / 100 == 1)).hasSize(10);
        assertThat(byPort().keySet().stream().filter(port -> port / 100 == 2)).hasSize(5);
    }

    @Test
    void wherePrioritiesAllPanicEachTakesAsManyAsAreReadyInIt() {
        there("outlier_detection { consecutive_5xx { value: 1 } max_ejection_percent { value: 100 } }", "", 10, 30);
        eject(1, 7);
        eject(2, 26);
        // By what is left it would be 42 and 18 of 100.
        assertThat(cluster().panics()).isTrue();
        assertShares("25 75");
    }

    @Test
    void whereNobodyIsLeftAllAreAskedByTheirNumber() {
        var detecting = "outlier_detection { consecutive_5xx { value: 1 } max_ejection_percent { value: 100 } }";
        there(detecting, "", 6, 2);
        eject(1, 6);
        eject(2, 2);
        assertThat(cluster().panics()).isTrue();
        assertShares("75 25");

        there(detecting + NO_PANIC, "", 6, 2);
        assertThat(cluster().available()).isEmpty();
        assertThat(cluster().pick(List.of(), random, 0)).isNull();
    }

    @ParameterizedTest
    @CsvSource({"LEAST_REQUEST", "ROUND_ROBIN", "RANDOM", "RING_HASH", "MAGLEV"})
    void aRetryRatherGoesToAnotherPriorityThanToTheSameEndpoint(String policy) {
        there(NO_PANIC + " lb_policy: " + policy, "", 1, 10);
        for (int i = 0; i < 200; i++) {
            var first = Objects.requireNonNull(cluster().pick(List.of(), random, random.nextLong()));
            var second = cluster().pick(List.of(first), random, random.nextLong());
            assertThat(second).isNotNull().isNotSameAs(first);
        }
    }

    @ParameterizedTest
    @CsvSource({"RING_HASH", "MAGLEV"})
    void oneKeyKeepsToOneEndpointOfOnePriority(String policy) {
        there(NO_PANIC + " lb_policy: " + policy, "", 5, 10);
        for (int i = 0; i < 500; i++) {
            long hash = Hash.of("user-" + i);
            assertThat(cluster().pick(List.of(), random, hash))
                    .isSameAs(cluster().pick(List.of(), random, hash));
        }
        assertShares("70 30");
    }

    // -- localities

    @Test
    void localitiesGetWhatTheyWeighWhereTheClusterHeedsIt() {
        var endpoints = locality(1, 4, 4, 0, 70) + locality(2, 2, 2, 0, 20) + locality(3, 8, 8, 0, 10);
        apply("common_lb_config { locality_weighted_lb_config { } }", endpoints);
        assertShares("70 20 10");

        apply("", endpoints);
        assertShares("29 14 57");
    }

    @Test
    void aLocalityLosesOfItsPartOnceItCouldNotTakeIt() {
        var heeding = "common_lb_config { locality_weighted_lb_config { } healthy_panic_threshold { } }";
        apply(heeding, locality(1, 10, 8, 0, 50) + locality(2, 10, 10, 0, 50));
        assertShares("50 50");
        apply(heeding, locality(1, 10, 5, 0, 50) + locality(2, 10, 10, 0, 50));
        assertShares("41 59");
        apply(heeding, locality(1, 10, 0, 0, 50) + locality(2, 10, 10, 0, 50) + locality(3, 1, 1, 0, 0));
        assertShares("0 100 0");
    }

    @Test
    void localitiesOfAPriorityShareWhatItTakes() {
        apply(
                "common_lb_config { locality_weighted_lb_config { } healthy_panic_threshold { } }",
                locality(1, 10, 5, 0, 10) + locality(2, 2, 2, 1, 75) + locality(3, 2, 2, 1, 25));

        assertShares("70 23 8");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "endpoints { priority: 129 }                              | endpoints[0].priority: must be 0 to 128, was 129",
                "endpoints { priority: 4294967295 }                       | endpoints[0].priority: must be 0 to 128, was 4294967295",
                "endpoints { load_balancing_weight { value: 4294967295 } } | endpoints[0].load_balancing_weight",
                "policy { overprovisioning_factor { } }                   | policy.overprovisioning_factor: must be 1 or more",
            })
    void whatCannotBeIsRefused(String assignment, String why) {
        assertThat(resources.apply(
                        Resources.ASSIGNMENT,
                        Map.of(
                                "pay",
                                Given.parse(ClusterLoadAssignment.newBuilder(), "cluster_name: 'pay' " + assignment)),
                        List.of()))
                .singleElement()
                .asString()
                .contains(why);
    }

    // --

    /// Priorities of ten each, of which so many are ready.
    private void there(String cluster, String more, int... left) {
        boolean ejecting = cluster.contains("outlier");
        var text = new StringBuilder(more);
        for (int i = 0; i < left.length; i++) {
            text.append(locality(i + 1, ejecting ? left[i] : 10, left[i], i, 0));
        }
        apply(cluster, text.toString());
    }

    private void apply(String cluster, String assignment) {
        assertThat(Given.cluster(resources, "pay", cluster)).isEmpty();
        assertThat(resources.apply(
                        Resources.ASSIGNMENT,
                        Map.of(
                                "pay",
                                Given.parse(ClusterLoadAssignment.newBuilder(), "cluster_name: 'pay' " + assignment)),
                        List.of()))
                .isEmpty();
    }

    private static String locality(int number, int all, int ready, int priority, int weight) {
        var text = new StringBuilder(" endpoints { priority: " + priority + " "
                + (weight == 0 ? "" : "load_balancing_weight { value: " + weight + " } "));
        for (int i = 0; i < all; i++) {
            text.append(endpoint(number * 100 + i, i < ready ? "" : "health_status: UNHEALTHY"));
        }
        return text.append(" } ").toString();
    }

    private void eject(int number, int howMany) {
        for (var endpoint : cluster().endpoints()) {
            if (endpoint.port() / 100 == number && endpoint.port() % 100 < howMany) {
                endpoint.heard(new Outcome.Responded(500, -1));
            }
        }
    }

    private ClusterPlan cluster() {
        return Objects.requireNonNull(resources.plan().cluster("pay"));
    }

    private static int[] numbers(String text) {
        return Arrays.stream(text.split(" ", -1)).mapToInt(Integer::parseInt).toArray();
    }

    /// Percents by locality, give or take one and a half.
    private void assertShares(String percents) {
        var shares = byPort().entrySet().stream()
                .collect(Collectors.groupingBy(
                        entry -> entry.getKey() / 100, Collectors.summingInt(Map.Entry::getValue)));
        int[] expected = numbers(percents);
        for (int i = 0; i < expected.length; i++) {
            double share = 100.0 * shares.getOrDefault(i + 1, 0) / PICKS;
            assertThat(share).as("locality %s of %s", i + 1, shares).isBetween(expected[i] - 1.5, expected[i] + 1.5);
            assertThat(share > 0).isEqualTo(expected[i] > 0);
        }
    }

    private Map<Integer, Integer> byPort() {
        var counts = new HashMap<Integer, Integer>();
        var cluster = cluster();
        for (int i = 0; i < PICKS; i++) {
            counts.merge(
                    Objects.requireNonNull(cluster.pick(List.of(), random, random.nextLong()))
                            .port(),
                    1,
                    Integer::sum);
        }
        return counts;
    }
}
