package dev.bodyguard.proxy.engine;

import static dev.bodyguard.proxy.engine.Given.endpoint;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SlowStartTest {
    private static final String MINUTE = "slow_start_config { slow_start_window { seconds: 60 } ";
    private static final String LEAST_REQUEST = "lb_policy: LEAST_REQUEST least_request_lb_config { " + MINUTE;
    private static final String ROUND_ROBIN = "lb_policy: ROUND_ROBIN round_robin_lb_config { " + MINUTE;
    private static final int PICKS = 40_000;

    /// As `System.nanoTime` may well be.
    private final AtomicLong clock =
            new AtomicLong(Long.MAX_VALUE - Duration.ofSeconds(90).toNanos());

    private final AtomicInteger looks = new AtomicInteger();
    private final Loads loads = new Loads(
            () -> {
                looks.incrementAndGet();
                return clock.get();
            },
            _ -> 0,
            Ejections.UNHEARD);
    private final Resources resources = new Resources(loads);

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                // age of the window of 60 s | more                                          | part
                " 0 |                                                                           | 0.1",
                " 3 |                                                                           | 0.1",
                "15 |                                                                           | 0.25",
                "30 |                                                                           | 0.5",
                "60 |                                                                           | 1",
                "90 |                                                                           | 1",
                "15 | min_weight_percent { value: 40 }                                          | 0.4",
                "15 | aggression { default_value: 2 runtime_key: 'a' }                          | 0.5",
                "30 | aggression { default_value: 0.5 runtime_key: 'a' }                        | 0.25",
                " 0 | aggression { default_value: 1 runtime_key: 'a' } min_weight_percent { } | 0.0000167",
            })
    void theShareIsEnvoys(int age, String more, double part) {
        there(LEAST_REQUEST + (more == null ? "" : more) + " } }", 1);
        pass(100);
        there(LEAST_REQUEST + (more == null ? "" : more) + " } }", 1, 2);
        pass(age);

        assertThat(cluster().share(at(2))).isCloseTo(part, within(0.000_001));
        assertThat(cluster().share(at(1))).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({"LEAST_REQUEST", "ROUND_ROBIN"})
    void aNewOneComesToItsShareByAndBy(String policy) {
        var given = (policy.equals("LEAST_REQUEST") ? LEAST_REQUEST : ROUND_ROBIN) + "} }";
        there(given, 1, 2, 3);
        pass(60);
        assertThat(picks().values())
                .allSatisfy(count -> assertThat(count).isCloseTo(PICKS / 3, Percentage.withPercentage(5)));

        there(given, 1, 2, 3, 4);
        assertThat(picks().get(4)).isCloseTo(PICKS / 31, Percentage.withPercentage(20));
        pass(30);
        assertThat(picks().get(4)).isCloseTo(PICKS / 7, Percentage.withPercentage(15));
        pass(30);
        assertThat(picks().get(4)).isCloseTo(PICKS / 4, Percentage.withPercentage(5));
    }

    /// Each of two is always drawn, and the newer one is the less busy.
    @Test
    void ofTwoTheNewOneIsNotFloodedBecauseItIsIdle() {
        there(LEAST_REQUEST + "} }", 1);
        pass(100);
        there(LEAST_REQUEST + "} }", 1, 2);

        assertThat(underLoad(20).get(2)).isLessThan(PICKS / 6);
        pass(60);
        assertThat(underLoad(20).get(2)).isCloseTo(PICKS / 2, Percentage.withPercentage(5));
    }

    @Test
    void allThatComeTogetherAreAlike() {
        there(ROUND_ROBIN + "} }", 1, 2, 3, 4);

        assertThat(picks())
                .containsExactlyInAnyOrderEntriesOf(Map.of(1, PICKS / 4, 2, PICKS / 4, 3, PICKS / 4, 4, PICKS / 4));
    }

    @Test
    void whoComesIsKnownOverPlansAndWhoReturnsComesAnew() {
        there(LEAST_REQUEST + "} }", 1);
        pass(100);
        there(LEAST_REQUEST + "} }", 1, 2);
        pass(30);
        there(LEAST_REQUEST + "min_weight_percent { } } }", 1, 2, 3);
        assertThat(cluster().share(at(2))).isCloseTo(0.5, within(0.001));

        there(LEAST_REQUEST + "} }", 1, 3);
        there(LEAST_REQUEST + "} }", 1, 2, 3);
        assertThat(cluster().share(at(2))).isEqualTo(0.1);
        assertThat(cluster().share(at(1))).isEqualTo(1);
    }

    @Test
    void whoBecomesReadyComesThen() {
        var given = LEAST_REQUEST + "} }";
        there(given, 1);
        Given.endpoints(resources, "pay", endpoint(1, ""), endpoint(2, "health_status: UNHEALTHY"));
        pass(100);
        assertThat(picks()).containsOnlyKeys(1);
        there(given, 1, 2);

        assertThat(cluster().share(at(2))).isEqualTo(0.1);
    }

    @Test
    void onceAllCountInFullNobodyLooksAtTheClock() {
        there(LEAST_REQUEST + "} }", 1, 2);
        pass(61);
        picks();
        looks.set(0);
        picks();

        assertThat(looks).hasValue(0);
    }

    @Test
    void aRetryHeedsItToo() {
        there(ROUND_ROBIN + "min_weight_percent { value: 1 } } }", 1, 2);
        pass(100);
        there(ROUND_ROBIN + "min_weight_percent { value: 1 } } }", 1, 2, 3);
        var tried = List.of(at(1));
        int ofTheNew = 0;
        for (int i = 0; i < 1_000; i++) {
            ofTheNew += picked(tried).port() == 3 ? 1 : 0;
        }

        assertThat(ofTheNew).isBetween(5, 15);
    }

    @Test
    void weightsCountForWhatTheyAre() {
        var heavy = endpoint(1, "load_balancing_weight { value: 2000000000 }");
        Given.cluster(resources, "pay", ROUND_ROBIN + "} }");
        Given.endpoints(resources, "pay", heavy);
        assertThat(picks()).containsOnlyKeys(1);
        pass(100);
        Given.endpoints(resources, "pay", heavy, endpoint(2, "load_balancing_weight { value: 100000000 }"));
        assertThat(picks().get(2)).isCloseTo(PICKS / 201, Percentage.withPercentage(10));
        pass(30);
        assertThat(picks().get(2)).isCloseTo(PICKS / 41, Percentage.withPercentage(10));
        pass(30);
        assertThat(picks().get(2)).isCloseTo(PICKS / 21, Percentage.withPercentage(10));
    }

    @Test
    void anEjectedOneThatReturnsIsNotNew() {
        var given = LEAST_REQUEST + "} } outlier_detection { max_ejection_percent { value: 100 } }";
        there(given, 1, 2, 3);
        pass(60);
        for (int i = 0; i < 5; i++) {
            at(2).heard(new Outcome.Responded(500, -1));
        }
        assertThat(picks()).containsOnlyKeys(1, 3);
        pass(31);

        assertThat(picks().get(2)).isCloseTo(PICKS / 3, Percentage.withPercentage(5));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "slow_start_window { seconds: -1 } | slow_start_window: must be a duration of 0 or more",
                "slow_start_window { seconds: 1 } aggression { } | aggression: must be above 0, was 0.0",
                "slow_start_window { seconds: 1 } aggression { default_value: nan } | aggression: must be above 0, was NaN",
                "slow_start_window { seconds: 1 } min_weight_percent { value: 101 } | min_weight_percent: must be 0 to 100",
            })
    void whatCannotBeIsRefused(String config, String why) {
        var rejected = Given.cluster(
                resources,
                "pay",
                "lb_policy: ROUND_ROBIN round_robin_lb_config { slow_start_config { " + config + " } }");

        assertThat(rejected).singleElement().asString().contains("round_robin_lb_config.slow_start_config." + why);
    }

    @Test
    void noWindowAndAnEndlessOneAreWindows() {
        there("lb_policy: ROUND_ROBIN round_robin_lb_config { slow_start_config { } }", 1, 2);
        assertThat(cluster().share(at(2))).isEqualTo(1);

        there(
                "lb_policy: ROUND_ROBIN round_robin_lb_config { slow_start_config { slow_start_window { seconds:"
                        + " 315576000000 } } }",
                1,
                2);
        pass(100);
        assertThat(cluster().share(at(2))).isEqualTo(0.1);
        assertThat(picks()).containsOnlyKeys(1, 2);
    }

    private void there(String policy, int... ports) {
        assertThat(Given.cluster(resources, "pay", policy)).isEmpty();
        var all = Arrays.stream(ports).mapToObj(port -> endpoint(port, "")).toArray(String[]::new);
        assertThat(Given.endpoints(resources, "pay", all)).isEmpty();
        var _ = cluster();
    }

    private void pass(long seconds) {
        clock.addAndGet(Duration.ofSeconds(seconds).toNanos());
    }

    private ClusterPlan cluster() {
        return Objects.requireNonNull(resources.plan().cluster("pay"));
    }

    private Endpoint at(int port) {
        return cluster().endpoints().stream()
                .filter(endpoint -> endpoint.port() == port)
                .findFirst()
                .orElseThrow();
    }

    private final Random random = new Random(5);

    private Endpoint picked(List<Endpoint> tried) {
        return Objects.requireNonNull(cluster().pick(tried, random, 0));
    }

    private Map<Integer, Integer> picks() {
        var counts = new HashMap<Integer, Integer>();
        var cluster = cluster();
        for (int i = 0; i < PICKS; i++) {
            counts.merge(
                    Objects.requireNonNull(cluster.pick(List.of(), random, 0)).port(), 1, Integer::sum);
        }
        return counts;
    }

    /// With so many requests under way all the time, of which chance ends one.
    private Map<Integer, Integer> underLoad(int atOnce) {
        var counts = new HashMap<Integer, Integer>();
        var cluster = cluster();
        var underWay =
                IntStream.range(0, atOnce).mapToObj(_ -> picked(List.of())).toArray(Endpoint[]::new);
        Arrays.stream(underWay).forEach(Endpoint::requestStarted);
        for (int i = 0; i < PICKS; i++) {
            int ends = random.nextInt(atOnce);
            underWay[ends].requestEnded();
            underWay[ends] = Objects.requireNonNull(cluster.pick(List.of(), random, 0));
            underWay[ends].requestStarted();
            counts.merge(underWay[ends].port(), 1, Integer::sum);
        }
        Arrays.stream(underWay).forEach(Endpoint::requestEnded);
        return counts;
    }
}
