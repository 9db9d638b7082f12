package dev.bodyguard.proxy.engine;

import static dev.bodyguard.proxy.engine.Given.get;
import static dev.bodyguard.proxy.engine.Given.request;
import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.proxy.engine.Admission.Admitted;
import dev.bodyguard.proxy.engine.Admission.Exceeded;
import dev.bodyguard.proxy.engine.Admission.Quota;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RateLimitsTest {
    private static final String CHECKOUT = "spiffe://cluster.local/ns/default/sa/checkout";
    private static final String WEB = "spiffe://cluster.local/ns/default/sa/web";
    private static final String RULE = "RateLimit default/pay spec.rules[0]";
    private static final String PLACE = " (pay.yaml:7:7)";
    private static final String EACH =
            "actions { generic_key { descriptor_key: 'principal' descriptor_value: '%DOWNSTREAM_PEER_URI_SAN%' } }";

    private final Resources resources = new Resources(new Loads());
    private long now = 1_000_000_000_000L;

    @Test
    void grantsABurstAndThenAsManyAsComeBack() {
        given(filter(RULE + PLACE, "", "", bucket("", 2, 2, 60)));

        assertThat(ask(CHECKOUT)).isEqualTo(new Admitted(new Quota("RateLimit default/pay", 2, 2, 60, 1, 30)));
        assertThat(ask(WEB)).isEqualTo(new Admitted(new Quota("RateLimit default/pay", 2, 2, 60, 0, 60)));
        assertThat(ask(CHECKOUT))
                .isEqualTo(new Exceeded(new Quota("RateLimit default/pay", 2, 2, 60, 0, 60), RULE + PLACE, 429, 30));

        pass(Duration.ofSeconds(29));
        assertThat(ask(CHECKOUT))
                .isInstanceOfSatisfying(
                        Exceeded.class, one -> assertThat(one.retryAfter()).isEqualTo(1));

        pass(Duration.ofSeconds(1));
        assertThat(ask(CHECKOUT)).isInstanceOf(Admitted.class);
        assertThat(ask(CHECKOUT)).isInstanceOf(Exceeded.class);

        pass(Duration.ofHours(5));
        assertThat(ask(CHECKOUT)).isInstanceOf(Admitted.class);
        assertThat(ask(CHECKOUT)).isInstanceOf(Admitted.class);
        assertThat(ask(CHECKOUT))
                .as("no more than a burst, however quiet it was")
                .isInstanceOf(Exceeded.class);
    }

    @Test
    void givesEachIdentityItsOwnAndStrangersOneTogether() {
        given(filter(RULE, "", EACH, bucket("principal", 1, 1, 60) + bucketOf(WEB, 2)));

        assertThat(ask(CHECKOUT)).isInstanceOf(Admitted.class);
        assertThat(ask(CHECKOUT)).isInstanceOf(Exceeded.class);
        assertThat(ask(WEB)).isInstanceOf(Admitted.class);
        assertThat(ask(WEB)).as("an override").isInstanceOf(Admitted.class);
        assertThat(ask(WEB)).isInstanceOf(Exceeded.class);
        assertThat(ask(null)).isInstanceOf(Admitted.class);
        assertThat(ask(null)).isInstanceOf(Exceeded.class);
    }

    @Test
    void tellsHowALimitStandsWithoutCounting() {
        given(filter(RULE + PLACE, "", EACH, bucket("principal", 2, 2, 60) + bucketOf(WEB, 3)));

        assertThat(standing(CHECKOUT)).isEqualTo(new Quota("RateLimit default/pay", 2, 2, 60, 2, 0));
        assertThat(ask(CHECKOUT)).isInstanceOf(Admitted.class);
        assertThat(standing(CHECKOUT)).isEqualTo(new Quota("RateLimit default/pay", 2, 2, 60, 1, 30));
        assertThat(standing(CHECKOUT)).as("asking takes nothing").isEqualTo(standing(CHECKOUT));
        assertThat(standing(WEB).limit()).as("an override").isEqualTo(3);
        assertThat(ask(CHECKOUT)).isInstanceOf(Admitted.class);
        assertThat(ask(CHECKOUT)).isInstanceOf(Exceeded.class);
        assertThat(standing(CHECKOUT).remaining()).isZero();

        given(filter(RULE, "", "", bucket("", 2, 2, 60)));
        assertThat(ask(CHECKOUT)).isInstanceOf(Admitted.class);
        assertThat(standing(WEB)).as("everybody's").isEqualTo(new Quota("RateLimit default/pay", 2, 2, 60, 1, 30));
    }

    @Test
    void countsOnlyWhatARuleIsAbout() {
        given(filter(RULE, """
            headers { name: ':method' string_match { exact: 'POST' } }
            headers { name: ':path' string_match { safe_regex { regex: '/pay([/?].*)?' } } }
            """, "", bucket("", 1, 1, 60)));

        assertThat(admit(CHECKOUT, request("POST", "/pay/1?x"))).isInstanceOf(Admitted.class);
        assertThat(admit(CHECKOUT, request("POST", "/pay"))).isInstanceOf(Exceeded.class);
        assertThat(admit(CHECKOUT, request("POST", "/payroll"))).isEqualTo(new Admitted(null));
        assertThat(admit(CHECKOUT, get("/pay"))).isEqualTo(new Admitted(null));
    }

    @Test
    void takesNothingFromOneLimitForWhatAnotherRefuses() {
        given(filter("total", "", "", bucket("", 3, 3, 60)) + filter("each", "", EACH, bucket("principal", 1, 1, 60)));

        assertThat(ask(CHECKOUT)).isInstanceOf(Admitted.class);
        IntStream.range(0, 10)
                .forEach(_ -> assertThat(ask(CHECKOUT))
                        .isInstanceOfSatisfying(
                                Exceeded.class, one -> assertThat(one.rule()).isEqualTo("each")));

        assertThat(ask(WEB)).isInstanceOf(Admitted.class);
        assertThat(ask(null)).isInstanceOf(Admitted.class);
        assertThat(ask("spiffe://cluster.local/ns/default/sa/other"))
                .isInstanceOfSatisfying(
                        Exceeded.class, one -> assertThat(one.rule()).isEqualTo("total"));
    }

    @Test
    void anEditElsewhereInTheFileGrantsNothingAnew() {
        given(filter(RULE + PLACE, "", "", bucket("", 1, 1, 60)));
        ask(CHECKOUT);

        given(filter(RULE + " (pay.yaml:9:7)", "", "", bucket("", 1, 1, 60)));
        assertThat(ask(CHECKOUT)).isInstanceOf(Exceeded.class);

        given("");
        assertThat(ask(CHECKOUT)).isEqualTo(new Admitted(null));

        given(filter(RULE + PLACE, "", "", bucket("", 1, 1, 60)));
        assertThat(ask(CHECKOUT)).as("a limit that was gone is a new one").isInstanceOf(Admitted.class);
    }

    @Test
    void manyIdentitiesTakeFixedRoomAndGainNothingByIt() {
        var buckets = new IdentityBuckets(new Bucket.Rate(1, 1, 60_000_000_000L), 64);
        assertThat(buckets.room()).isEqualTo(64);

        long granted = IntStream.range(0, 10_000)
                .filter(i ->
                        buckets.of("spiffe://cluster.local/ns/a/sa/" + i, now).take(now) >= 0)
                .count();

        assertThat(granted).as("one for each place, and one for those without").isBetween(32L, 65L);
        pass(Duration.ofMinutes(1));
        assertThat(buckets.of("spiffe://cluster.local/ns/a/sa/late", now).take(now))
                .as("a place whose bucket is full again is free")
                .isPositive();
    }

    @Test
    void manyThreadsGetNoMoreThanThereIs() throws InterruptedException {
        var bucket = new Bucket(new Bucket.Rate(1_000, 1, 3_600_000_000_000L));
        var granted = new AtomicInteger();
        var begin = new CountDownLatch(1);
        List<Thread> threads = IntStream.range(0, 4)
                .mapToObj(_ -> Thread.ofPlatform().start(() -> {
                    try {
                        begin.await();
                    } catch (InterruptedException _) {
                        return;
                    }
                    for (int i = 0; i < 1_000; i++) {
                        if (bucket.take(now) >= 0) {
                            granted.incrementAndGet();
                        }
                    }
                }))
                .toList();
        begin.countDown();
        for (var thread : threads) {
            thread.join();
        }

        assertThat(granted).hasValue(1_000);
    }

    @Test
    void whatCannotBeCountedIsRejected() {
        assertThat(Given.listener(
                                resources,
                                "inbound",
                                InboundTest.chain(
                                        true, filter(RULE, "", "actions { remote_address {} }", bucket("", 1, 1, 60))))
                        .getFirst()
                        .reason())
                .contains("action is not supported: REMOTE_ADDRESS");
        assertThat(Given.listener(
                                resources,
                                "inbound",
                                InboundTest.chain(true, filter(RULE, "", "", bucket("", 0, 1, 60))))
                        .getFirst()
                        .reason())
                .contains("token_bucket: must be of 1 to");
    }

    private void given(String filters) {
        assertThat(Given.listener(resources, "inbound", InboundTest.chain(true, filters)))
                .isEmpty();
        resources.plan();
    }

    private void pass(Duration time) {
        now += time.toNanos();
    }

    private Admission ask(@Nullable String peer) {
        return admit(peer, get("/pay"));
    }

    private Quota standing(String peer) {
        return Objects.requireNonNull(resources.plan().inbound(8080))
                .limits(peer, get("/pay"), now)
                .getFirst()
                .quota();
    }

    private Admission admit(@Nullable String peer, RequestHead head) {
        return Objects.requireNonNull(resources.plan().inbound(8080)).admit(peer, head, now);
    }

    private static String filter(String rule, String headers, String more, String descriptors) {
        String first = headers.isEmpty()
                ? "actions { generic_key { descriptor_key: 'rule' descriptor_value: '" + rule + "' } }"
                : "actions { header_value_match { descriptor_key: 'rule' descriptor_value: '" + rule + "' " + headers
                        + " } }";
        return """
            http_filters { name: 'limit' typed_config {
              [type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit] {
                stat_prefix: 'x'
                token_bucket { max_tokens: 4294967295 fill_interval { seconds: 1 } }
                filter_enabled { default_value { numerator: 100 } }
                filter_enforced { default_value { numerator: 100 } }
                enable_x_ratelimit_headers: DRAFT_VERSION_03
                max_dynamic_descriptors { value: 64 }
                rate_limits { %s %s }
                %s } } }
            """.formatted(first, more, descriptors.replace("RULE", rule));
    }

    private static String bucket(String key, int most, int perFill, int seconds) {
        return "descriptors { entries { key: 'rule' value: 'RULE' } "
                + (key.isEmpty() ? "" : "entries { key: '" + key + "' }")
                + " token_bucket { max_tokens: " + most + " tokens_per_fill { value: " + perFill
                + " } fill_interval { seconds: " + seconds + " } } }";
    }

    private static String bucketOf(String principal, int most) {
        return "descriptors { entries { key: 'rule' value: 'RULE' } entries { key: 'principal' value: '" + principal
                + "' } token_bucket { max_tokens: " + most + " tokens_per_fill { value: 1 } fill_interval {"
                + " seconds: 60 } } }";
    }
}
