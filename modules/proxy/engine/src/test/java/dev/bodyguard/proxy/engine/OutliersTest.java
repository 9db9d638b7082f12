package dev.bodyguard.proxy.engine;

import static dev.bodyguard.proxy.engine.Given.endpoint;
import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.proxy.engine.Ejection.Cause;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OutliersTest {
    private static final String NO_PANIC = " common_lb_config { healthy_panic_threshold {} } ";
    private static final String ALL_MAY_GO = "max_ejection_percent { value: 100 } ";
    private static final Outcome OK = new Outcome.Responded(200, -1);
    private static final Outcome REFUSED = new Outcome.ConnectFailed();
    private static final Outcome LATE = new Outcome.PerTryTimeout();

    /// As `System.nanoTime` may well be.
    private final AtomicLong clock =
            new AtomicLong(Long.MAX_VALUE - Duration.ofSeconds(1).toNanos());

    private final AtomicLong chance = new AtomicLong();
    private final Heard heard = new Heard();
    private final Loads loads = new Loads(clock::get, bound -> Math.min(chance.get(), bound - 1), heard);
    private final Resources resources = new Resources(loads);

    private static final class Heard implements Ejections {
        final List<String> lines = new ArrayList<>();

        @Override
        public synchronized void ejected(Ejection one) {
            lines.add(one.whom().address() + " out for " + one.time().toMillis() + " ms: " + one.why());
        }

        @Override
        public synchronized void returned(Ejection one) {
            lines.add(one.whom().address() + " back");
        }

        @Override
        public synchronized void spared(Ejection one, Reason why) {
            lines.add(one.whom().address() + " spared: " + why + ", "
                    + one.cause().word());
        }

        List<String> taken() {
            var taken = List.copyOf(lines);
            lines.clear();
            return taken;
        }
    }

    // -- what is too much

    @Test
    void fiveServerErrorsInARowAreTooMany() {
        pay("{ " + ALL_MAY_GO + "}" + NO_PANIC, 2);

        answers(1, 500, 503, 501, 599);
        assertThat(picks()).containsOnlyKeys(1, 2);
        answers(1, 502);

        assertThat(picks()).containsOnlyKeys(2);
        assertThat(heard.taken())
                .containsExactly("10.0.0.1:1 out for 30000 ms: 5 times in a row it answered 5xx or not at all");
    }

    @Test
    void aRuleThatAllowsLessFindsWhoFailsAlready() {
        pay("{ " + ALL_MAY_GO + "consecutive_5xx { value: 100 } }" + NO_PANIC, 2);
        answers(1, 500, 500, 500, 500, 500, 500, 500);

        pay("{ " + ALL_MAY_GO + "consecutive_5xx { value: 5 } }" + NO_PANIC, 2);
        assertThat(picks()).containsOnlyKeys(1, 2);
        answers(1, 500);

        assertThat(picks()).containsOnlyKeys(2);
    }

    @Test
    void anyOtherAnswerBeginsTheCountAnew() {
        pay("{ " + ALL_MAY_GO + "}" + NO_PANIC, 2);

        answers(1, 500, 500, 500, 500, 404, 500, 500, 500, 500, 200, 500, 500, 500, 500, 600);

        assertThat(picks()).containsOnlyKeys(1, 2);
        assertThat(heard.taken()).isEmpty();
    }

    @Test
    void gatewayErrorsAreCountedForThemselvesAndEjectNobodyUnlessTold() {
        pay("{ " + ALL_MAY_GO + "consecutive_5xx { value: 0 } consecutive_gateway_failure { value: 2 } }", 2);
        answers(1, 502, 503);
        assertThat(heard.taken()).containsExactly("10.0.0.1:1 spared: NOT_ENFORCED, consecutive_gateway_failure");
        assertThat(picks()).containsOnlyKeys(1, 2);

        pay(
                "{ " + ALL_MAY_GO + "consecutive_5xx { value: 0 } consecutive_gateway_failure { value: 2 }"
                        + " enforcing_consecutive_gateway_failure { value: 100 } }" + NO_PANIC,
                2);
        answers(1, 502, 500, 504);
        assertThat(picks()).containsOnlyKeys(1, 2);
        answers(1, 503);
        assertThat(heard.taken())
                .containsExactly(
                        "10.0.0.1:1 out for 30000 ms: 2 times in a row it answered 502, 503, 504 or not at all");
    }

    @Test
    void whoDoesNotAnswerIsLikeAGateway() {
        pay(
                "{ " + ALL_MAY_GO + "consecutive_gateway_failure { value: 4 }"
                        + " enforcing_consecutive_gateway_failure { value: 100 } }" + NO_PANIC,
                2);

        hears(1, REFUSED, LATE, new Outcome.RefusedStream(), new Outcome.ResetBeforeResponse(true));

        assertThat(picks()).containsOnlyKeys(2);
    }

    @Test
    void whereTheyAreSplitEachIsCountedForItself() {
        String split = "{ " + ALL_MAY_GO
                + "split_external_local_origin_errors: true consecutive_local_origin_failure { value: 3 } }" + NO_PANIC;
        pay(split, 2);

        hears(1, REFUSED, LATE);
        at(1).connected();
        answers(1, 500, 500, 500, 500);
        hears(1, REFUSED, LATE);
        at(1).carries();
        hears(1, REFUSED, LATE);
        assertThat(picks()).containsOnlyKeys(1, 2);

        hears(1, REFUSED);
        assertThat(heard.taken()).containsExactly("10.0.0.1:1 out for 30000 ms: 3 times in a row it did not answer");
    }

    @Test
    void aConnectionForOtherBytesIsAGoodAnswer() {
        pay("{ " + ALL_MAY_GO + "}", 2);

        for (int i = 0; i < 10; i++) {
            hears(1, REFUSED, REFUSED, REFUSED, REFUSED);
            at(1).connected();
            at(1).carries();
        }

        assertThat(heard.taken()).isEmpty();
    }

    /// The table of gRPC's own documents, by which a status is an HTTP one.
    @ParameterizedTest
    @CsvSource({
        "0,200", "1,499", "2,500", "3,400", "4,504", "5,404", "6,409", "7,403", "8,429", "9,400", "10,409", "11,400",
        "12,501", "13,500", "14,503", "15,500", "16,401", "17,500", "-1,200"
    })
    void aGrpcStatusCountsAsTheHttpStatusItMeans(int grpc, int http) {
        assertThat(new Outcome.Responded(200, grpc).http()).isEqualTo(http);
    }

    @Test
    void whatIsTooMuchMayLeadToAnEjectionOnlyNowAndThen() {
        pay("{ " + ALL_MAY_GO + "consecutive_5xx { value: 1 } enforcing_consecutive_5xx { value: 30 } }" + NO_PANIC, 2);

        chance.set(30);
        answers(1, 500);
        assertThat(heard.taken()).containsExactly("10.0.0.1:1 spared: NOT_ENFORCED, consecutive_5xx");
        chance.set(29);
        answers(1, 500);
        assertThat(picks()).containsOnlyKeys(2);
    }

    // -- how long

    @Test
    void itReturnsWhenItsTimeIsOverAndBeginsAnew() {
        pay("{ " + ALL_MAY_GO + "base_ejection_time { seconds: 7 } }" + NO_PANIC, 2);
        answers(1, 500, 500, 500, 500, 500, 500, 500, 500, 500);
        heard.taken();

        pass(Duration.ofSeconds(7).minusNanos(1));
        assertThat(picks()).containsOnlyKeys(2);
        assertThat(Objects.requireNonNull(at(1).ejection()).left()).isEqualTo(Duration.ofNanos(1));
        assertThat(heard.taken()).isEmpty();

        pass(Duration.ofNanos(1));
        assertThat(picks()).containsOnlyKeys(1, 2);
        assertThat(at(1).ejection()).isNull();
        assertThat(heard.taken()).containsExactly("10.0.0.1:1 back");
        answers(1, 500, 500, 500, 500);
        assertThat(picks()).containsOnlyKeys(1, 2);
    }

    @Test
    void eachTimeIsLongerAndEachIntervalInServiceMakesUpForOne() {
        pay(
                "{ " + ALL_MAY_GO + "base_ejection_time { seconds: 30 } max_ejection_time { seconds: 100 }"
                        + " interval { seconds: 10 } }" + NO_PANIC,
                2);

        var times = new ArrayList<Long>();
        for (int i = 0; i < 6; i++) {
            times.add(ejectedFor(1).toSeconds());
            pass(Duration.ofSeconds(times.getLast()));
        }
        assertThat(times).containsExactly(30L, 60L, 90L, 100L, 100L, 100L);

        // Envoy's count goes one beyond what the longest time asks for: 30 × 5 is the first that it stops at.
        pass(Duration.ofMillis(9_999));
        assertThat(ejectedFor(1)).hasSeconds(100);
        pass(Duration.ofSeconds(100 + 30));
        assertThat(ejectedFor(1)).hasSeconds(90);
        pass(Duration.ofSeconds(90 + 20));
        assertThat(ejectedFor(1)).hasSeconds(60);
        pass(Duration.ofDays(30));
        assertThat(ejectedFor(1)).hasSeconds(30);
    }

    @Test
    void chanceMayAddToIt() {
        pay("{ " + ALL_MAY_GO + "max_ejection_time_jitter { seconds: 4 } }" + NO_PANIC, 2);

        chance.set(Long.MAX_VALUE);
        assertThat(ejectedFor(1)).isEqualTo(Duration.ofSeconds(34));
    }

    // -- how many

    @Test
    void ofTwoNoneIsEjectedUnlessTheAuthorLetsHalfOfThemGo() {
        pay("{}" + NO_PANIC, 2);
        answers(1, 500, 500, 500, 500, 500);
        assertThat(picks()).containsOnlyKeys(1, 2);
        assertThat(heard.taken()).containsExactly("10.0.0.1:1 spared: TOO_MANY, consecutive_5xx");

        pay("{ max_ejection_percent { value: 50 } }" + NO_PANIC, 2);
        answers(1, 500, 500, 500, 500, 500);
        answers(2, 500, 500, 500, 500, 500);
        assertThat(picks()).containsOnlyKeys(2);
        assertThat(heard.taken()).last().isEqualTo("10.0.0.1:2 spared: TOO_MANY, consecutive_5xx");
    }

    @Test
    void whoseTimeIsOverMakesRoomForTheNext() {
        pay("{ max_ejection_percent { value: 50 } }" + NO_PANIC, 2);
        answers(1, 500, 500, 500, 500, 500);
        pass(Duration.ofSeconds(30));

        answers(2, 500, 500, 500, 500, 500);

        assertThat(picks()).containsOnlyKeys(1);
    }

    @Test
    void oneMayAlwaysGoWhereThatIsSaid() {
        pay("{ always_eject_one_host { value: true } max_ejection_percent { value: 0 } }" + NO_PANIC, 3);
        answers(1, 500, 500, 500, 500, 500);
        answers(2, 500, 500, 500, 500, 500);

        assertThat(picks()).containsOnlyKeys(2, 3);
    }

    @Test
    void whereAllAreEjectedNobodyIsAskedUnlessThatIsAPanic() {
        pay("{ " + ALL_MAY_GO + "}" + NO_PANIC, 2);
        answers(1, 500, 500, 500, 500, 500);
        answers(2, 500, 500, 500, 500, 500);
        assertThat(pick(List.of())).isNull();
        assertThat(cluster().available()).isEmpty();
        assertThat(new Refusal.NoHealthyEndpoint(cluster(), null).sentence())
                .startsWith("no endpoint of pay is in service: of 2 that it has 2 are ejected");

        // The same endpoints, by a policy that says nothing of it: Envoy's half.
        pay("{ " + ALL_MAY_GO + "}", 2);
        assertThat(picks()).containsOnlyKeys(1, 2);
        assertThat(cluster().panics()).isTrue();
    }

    @Test
    void belowTheThresholdAllAreAskedAndAtItOnlyWhoIsLeft() {
        pay("{ " + ALL_MAY_GO + "} common_lb_config { healthy_panic_threshold { value: 50 } }", 4);
        answers(1, 500, 500, 500, 500, 500);
        answers(2, 500, 500, 500, 500, 500);
        assertThat(picks()).containsOnlyKeys(3, 4);

        answers(3, 500, 500, 500, 500, 500);
        assertThat(picks()).containsOnlyKeys(1, 2, 3, 4);
        assertThat(cluster().panics()).isTrue();
    }

    @Test
    void whoIsNotReadyIsCountedAndNeverAsked() {
        Given.cluster(resources, "pay", "outlier_detection { " + ALL_MAY_GO + "}");
        Given.endpoints(
                resources,
                "pay",
                endpoint(1, ""),
                endpoint(2, ""),
                endpoint(3, "health_status: UNHEALTHY"),
                endpoint(4, "health_status: DRAINING"));

        answers(1, 500, 500, 500, 500, 500);

        assertThat(picks()).containsOnlyKeys(1, 2);
        assertThat(cluster().panics()).isTrue();
    }

    @Test
    void theNextPriorityStandsInBeforeThereIsAPanic() {
        Given.cluster(resources, "pay", "outlier_detection { " + ALL_MAY_GO + "}");
        resources.apply(
                Resources.ASSIGNMENT,
                Map.of(
                        "pay",
                        Given.parse(
                                io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment.newBuilder(),
                                "cluster_name: 'pay' endpoints { " + endpoint(1, "") + endpoint(2, "")
                                        + " } endpoints { priority: 1 " + endpoint(3, "") + " }")),
                List.of());

        assertThat(picks()).containsOnlyKeys(1, 2);
        answers(1, 500, 500, 500, 500, 500);
        assertThat(picks().get(3)).as("70 % of 400 the other one can take").isBetween(90, 150);
        answers(2, 500, 500, 500, 500, 500);
        assertThat(picks()).containsOnlyKeys(3);
        assertThat(cluster().panics()).isFalse();
        answers(3, 500, 500, 500, 500, 500);
        assertThat(picks()).containsOnlyKeys(1, 2, 3);
        assertThat(cluster().panics()).isTrue();
    }

    // -- balancers

    @ParameterizedTest
    @CsvSource({"LEAST_REQUEST", "ROUND_ROBIN", "RANDOM", "RING_HASH", "MAGLEV"})
    void aRetryRatherGoesToWhomItWasSentThanToWhoIsEjected(String policy) {
        pay("{ " + ALL_MAY_GO + "} lb_policy: " + policy + NO_PANIC, 3);
        answers(1, 500, 500, 500, 500, 500);

        for (int i = 0; i < 50; i++) {
            assertThat(Objects.requireNonNull(pick(List.of(at(2)))).port()).isEqualTo(3);
            assertThat(Objects.requireNonNull(pick(List.of(at(2), at(3)))).port())
                    .isIn(2, 3);
        }
    }

    @ParameterizedTest
    @CsvSource({"RING_HASH", "MAGLEV"})
    void whereKeysDecideOnlyThoseOfWhoIsEjectedMove(String policy) {
        pay("{ " + ALL_MAY_GO + "} lb_policy: " + policy + NO_PANIC, 5);
        int[] before = IntStream.range(0, 2_000).map(this::byKey).toArray();

        answers(1, 500, 500, 500, 500, 500);
        for (int i = 0; i < before.length; i++) {
            if (before[i] == 1) {
                assertThat(byKey(i)).isNotEqualTo(1);
            } else {
                assertThat(byKey(i)).isEqualTo(before[i]);
            }
        }

        pass(Duration.ofSeconds(30));
        assertThat(IntStream.range(0, 2_000).map(this::byKey)).containsExactly(box(before));
    }

    private static Integer[] box(int[] ports) {
        return IntStream.of(ports).boxed().toArray(Integer[]::new);
    }

    private int byKey(int key) {
        return Objects.requireNonNull(cluster().pick(List.of(), new Random(1), Hash.of("user-" + key)))
                .port();
    }

    // -- plans come and go

    @Test
    void whoIsEjectedIsSoInLaterPlansAndWhoIsGoneIsForgotten() {
        pay("{ " + ALL_MAY_GO + "}" + NO_PANIC, 3);
        var old = cluster();
        answers(1, 500, 500, 500, 500, 500);
        answers(2, 500, 500);

        Given.endpoints(resources, "pay", endpoint(1, ""), endpoint(2, ""), endpoint(4, ""));
        assertThat(picks()).containsOnlyKeys(2, 4);
        // Failures of before count, whichever plan the request is of.
        answers(2, 500, 500);
        at(old, 2).heard(new Outcome.Responded(500, -1));
        assertThat(picks()).containsOnlyKeys(4);
        heard.taken();

        Given.endpoints(resources, "pay", endpoint(4, ""));
        assertThat(picks()).containsOnlyKeys(4);
        for (int i = 0; i < 5; i++) {
            at(old, 3).heard(new Outcome.Responded(500, -1));
        }
        assertThat(heard.taken()).isEmpty();
        Given.endpoints(resources, "pay", endpoint(1, ""), endpoint(4, ""));
        assertThat(picks()).containsOnlyKeys(1, 4);
    }

    @Test
    void whereTheRuleIsTakenAwayAllAreInServiceAgain() {
        pay("{ " + ALL_MAY_GO + "}" + NO_PANIC, 2);
        answers(1, 500, 500, 500, 500, 500);
        heard.taken();

        Given.cluster(resources, "pay", "");
        assertThat(picks()).containsOnlyKeys(1, 2);
        assertThat(at(1).ejection()).isNull();
        assertThat(heard.taken()).containsExactly("10.0.0.1:1 back");

        pay("{ " + ALL_MAY_GO + "}" + NO_PANIC, 2);
        assertThat(picks()).containsOnlyKeys(1, 2);
    }

    @Test
    void whoIsEjectedFromOneClusterIsNotFromAnother() {
        pay("{ " + ALL_MAY_GO + "}" + NO_PANIC, 2);
        Given.cluster(resources, "other", "outlier_detection { " + ALL_MAY_GO + "}" + NO_PANIC);
        Given.endpoints(resources, "other", endpoint(1, ""), endpoint(2, ""));

        answers(1, 500, 500, 500, 500, 500);

        var other = Objects.requireNonNull(resources.plan().cluster("other"));
        assertThat(other.available()).hasSize(2);
    }

    /// Whatever is answered, on whichever loop: nobody beyond the share is ejected, nobody who is ejected is
    /// picked, and what is heard adds up.
    @Test
    void loopsAgree() throws InterruptedException {
        pay(
                "{ max_ejection_percent { value: 40 } consecutive_5xx { value: 2 } base_ejection_time { nanos: 5000000 } }"
                        + NO_PANIC,
                10);
        var cluster = cluster();
        int loops = 4;
        var failed = new ArrayList<String>();
        var over = new CountDownLatch(loops);
        try (var threads = Executors.newFixedThreadPool(loops)) {
            for (int i = 0; i < loops; i++) {
                var random = new Random(i);
                threads.execute(() -> {
                    for (int j = 0; j < 50_000; j++) {
                        var endpoint = cluster.pick(List.of(), random, random.nextLong());
                        if (endpoint == null || cluster.available().size() < 6) {
                            synchronized (failed) {
                                failed.add("too few: " + cluster.available());
                            }
                            break;
                        }
                        endpoint.heard(new Outcome.Responded(random.nextInt(3) == 0 ? 200 : 503, -1));
                        clock.addAndGet(random.nextInt(10_000));
                    }
                    over.countDown();
                });
            }
            over.await();
        }

        assertThat(failed).isEmpty();
        pass(Duration.ofMinutes(10));
        assertThat(cluster.available()).hasSize(10);
        var out =
                heard.lines.stream().filter(line -> line.contains(" out for ")).count();
        var back = heard.lines.stream().filter(line -> line.endsWith(" back")).count();
        assertThat(out).isEqualTo(back).isGreaterThan(10);
    }

    // -- bad input

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "max_ejection_percent { value: 101 }|outlier_detection.max_ejection_percent: must be 0 to 100, was 101",
                "enforcing_consecutive_5xx { value: 4294967295 }|enforcing_consecutive_5xx: must be 0 to 100",
                "interval {}|outlier_detection.interval: must be more than 0",
                "base_ejection_time { seconds: -1 }|base_ejection_time: must be a duration of 0 or more",
                "max_ejection_time_jitter { seconds: 315576000001 }|max_ejection_time_jitter: must be a duration of 0 or more",
                "max_ejection_time { seconds: 29 }|must not be less than base_ejection_time, 30000 ms, was 29000 ms",
                "enforcing_success_rate { value: 1 }|enforcing_success_rate: must be 0, as nothing is ejected by it here",
                "enforcing_failure_percentage { value: 1 }|enforcing_failure_percentage: must be 0",
                "monitors { name: 'x' }|outlier_detection.monitors: is not supported"
            })
    void refusesWhatItCannotDo(String given, String complaint) {
        assertThat(Given.cluster(resources, "pay", "outlier_detection { " + given + " }"))
                .singleElement()
                .satisfies(rejected -> assertThat(rejected.reason()).contains(complaint));
    }

    @ParameterizedTest
    @CsvSource({"0", "1", "4", "65536", "5000021", "18446744073709551557"})
    void aTableIsOfAPrimeOfSlots(String slots) {
        assertThat(Given.cluster(
                        resources, "pay", "lb_policy: MAGLEV maglev_lb_config { table_size { value: " + slots + " } }"))
                .singleElement()
                .satisfies(rejected -> assertThat(rejected.reason())
                        .isEqualTo("maglev_lb_config.table_size: must be a prime of 5000011 or less, was " + slots));
        assertThat(Given.cluster(resources, "pay", "lb_policy: MAGLEV maglev_lb_config { table_size { value: 2 } }"))
                .isEmpty();
    }

    @Test
    void aPanicHasNoMoreThanAllOfThem() {
        assertThat(Given.cluster(resources, "pay", "common_lb_config { healthy_panic_threshold { value: nan } }"))
                .singleElement()
                .satisfies(rejected -> assertThat(rejected.reason())
                        .isEqualTo("common_lb_config.healthy_panic_threshold: must be 0 to 100, was NaN"));
    }

    @Test
    void theLongestTimesAreStillTimes() {
        String ever = "{ seconds: 315576000000 }";
        pay(
                "{ " + ALL_MAY_GO + "base_ejection_time " + ever + " max_ejection_time_jitter " + ever + " }"
                        + NO_PANIC,
                2);
        chance.set(Long.MAX_VALUE);
        assertThat(ejectedFor(1)).isEqualTo(Duration.ofDays(2 * 3_650));
        pass(Duration.ofDays(2 * 3_650));
        assertThat(cluster().available()).hasSize(2);

        pay("{ " + ALL_MAY_GO + "base_ejection_time { nanos: 1 } max_ejection_time " + ever + " }" + NO_PANIC, 2);
        assertThat(ejectedFor(1)).isEqualTo(Duration.ofNanos(2));
    }

    @Test
    void fourBillionInARowAreCounted() {
        pay("{ " + ALL_MAY_GO + "consecutive_5xx { value: 4294967295 } }", 2);

        answers(1, 500, 500, 500, 500, 500, 500);

        assertThat(heard.taken()).isEmpty();
    }

    @Test
    void causesHaveEnvoysNames() {
        assertThat(Cause.values())
                .extracting(Cause::word)
                .containsExactly("consecutive_5xx", "consecutive_gateway_failure", "consecutive_local_origin_failure");
    }

    // --

    private void pay(String detection, int endpoints) {
        assertThat(Given.cluster(resources, "pay", "outlier_detection " + detection))
                .isEmpty();
        var all = new ArrayList<String>();
        for (int port = 1; port <= endpoints; port++) {
            all.add(endpoint(port, ""));
        }
        assertThat(Given.endpoints(resources, "pay", all.toArray(String[]::new)))
                .isEmpty();
        var _ = cluster();
    }

    private ClusterPlan cluster() {
        return Objects.requireNonNull(resources.plan().cluster("pay"));
    }

    private Endpoint at(int port) {
        return at(cluster(), port);
    }

    private static Endpoint at(ClusterPlan cluster, int port) {
        return cluster.endpoints().stream()
                .filter(endpoint -> endpoint.port() == port)
                .findFirst()
                .orElseThrow();
    }

    private void answers(int port, int... statuses) {
        for (int status : statuses) {
            hears(port, status == 200 ? OK : new Outcome.Responded(status, -1));
        }
    }

    private void hears(int port, Outcome... outcomes) {
        for (Outcome outcome : outcomes) {
            at(port).heard(outcome);
        }
    }

    /// Has it fail until it is ejected.
    private Duration ejectedFor(int port) {
        pick(List.of());
        for (int i = 0; i < 5; i++) {
            hears(port, new Outcome.Responded(500, -1));
        }
        return Objects.requireNonNull(at(port).ejection()).ejection().time();
    }

    private void pass(Duration time) {
        clock.addAndGet(time.toNanos());
    }

    private @Nullable Endpoint pick(List<Endpoint> tried) {
        return cluster().pick(tried, new Random(clock.get()), clock.get());
    }

    private Map<Integer, Integer> picks() {
        var random = new Random(5);
        var cluster = cluster();
        var counts = new HashMap<Integer, Integer>();
        for (int i = 0; i < 400; i++) {
            counts.merge(
                    Objects.requireNonNull(cluster.pick(List.of(), random, random.nextLong()))
                            .port(),
                    1,
                    Integer::sum);
        }
        return counts;
    }
}
