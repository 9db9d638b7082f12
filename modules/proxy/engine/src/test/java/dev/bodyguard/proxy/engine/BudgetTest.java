package dev.bodyguard.proxy.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class BudgetTest {
    private static final Duration NONE = Duration.ZERO;
    /// `System.nanoTime` may be anything, and may run over.
    private static final long ARRIVED = Long.MAX_VALUE - 1_000;

    private static final String ORIGIN = "VirtualService default/pay";

    @Test
    void isWithoutAnEndWhereNobodySetsOne() {
        for (boolean grpc : new boolean[] {true, false}) {
            var budget = Budget.of(new Asked(Map.of()), grpc, NONE, ARRIVED);
            budget.begins(ARRIVED, true);

            assertThat(budget.left(after(3_600_000))).isEqualTo(Budget.UNBOUNDED);
            assertThat(budget.leftToBegin(after(3_600_000))).isEqualTo(Budget.UNBOUNDED);
        }
    }

    @Test
    void shrinksFromWhenACallArrivedAndDoesNotBeginAnew() {
        var budget = grpc("5S", NONE);
        budget.begins(after(1_000), false);
        budget.complete(after(2_000));
        budget.begins(after(2_500), true);

        assertThat(budget.left(after(3_000))).isEqualTo(millis(2_000));
        assertThat(budget.left(after(5_000))).isZero();
        assertThat(budget.left(after(9_000))).isZero();
    }

    @Test
    void isTheShortestOfAllBounds() {
        for (var timeout : new int[] {300, 5_000}) {
            for (var asked : new int[] {200, 4_000}) {
                var budget = grpc(asked + "m", Duration.ofMillis(timeout));
                budget.begins(ARRIVED, false);

                assertThat(budget.left(after(100))).isEqualTo(millis(Math.min(timeout, asked) - 100));
            }
        }
    }

    @Test
    void isNeverLengthenedByAHeader() {
        for (var name : new String[] {GrpcTimeout.NAME, ExpectedTimeout.NAME}) {
            for (var value : new String[] {
                "99999999H", "99999999S", "999999999999", "18446744073709551615", "-1", "0", "", "5000,1", "never", "5"
            }) {
                var budget = Budget.of(
                        new Asked(Map.of(name, value)), name.equals(GrpcTimeout.NAME), Duration.ofMillis(300), ARRIVED);
                budget.begins(ARRIVED, true);

                assertThat(budget.leftToBegin(after(100)))
                        .as(name + ": " + value)
                        .isLessThanOrEqualTo(millis(200));
                assertThat(budget.left(after(100))).as(name + ": " + value).isLessThanOrEqualTo(millis(200));
            }
        }
    }

    @Test
    void beginsForARequestOfHttpOnceThatIsComplete() {
        var budget = Budget.of(new Asked(Map.of(ExpectedTimeout.NAME, "400")), false, Duration.ofMillis(500), ARRIVED);
        budget.begins(after(10), false);

        assertThat(budget.check(after(60_000), false)).isEqualTo(Budget.UNBOUNDED);
        assertThat(budget.leftToBegin(after(60_000))).isEqualTo(millis(400));
        budget.complete(after(60_000));

        assertThat(budget.leftToBegin(after(60_100))).isEqualTo(millis(300));
        assertThat(budget.left(after(60_100))).isEqualTo(millis(400));
        assertThat(budget.check(after(60_100), false)).isEqualTo(millis(300));
        assertThat(budget.check(after(60_100), true)).isEqualTo(millis(400));
    }

    @Test
    void takesOffForWhatARequestHadToWaitHere() {
        var budget = Budget.of(new Asked(Map.of(ExpectedTimeout.NAME, "400")), false, Duration.ofMillis(390), ARRIVED);
        budget.begins(after(100), true);

        assertThat(budget.leftToBegin(after(100))).isEqualTo(millis(300));
        assertThat(budget.left(after(100)))
                .as("the route's is for the upstream")
                .isEqualTo(millis(390));
    }

    @Test
    void letsAnAnswerThatHasBegunGoOnBeyondWhatWasExpected() {
        var budget = Budget.of(new Asked(Map.of(ExpectedTimeout.NAME, "400")), false, NONE, ARRIVED);
        budget.begins(ARRIVED, true);

        assertThat(budget.isForBeginning()).isTrue();
        assertThat(budget.leftToBegin(after(500))).isZero();
        assertThat(budget.left(after(500))).isEqualTo(Budget.UNBOUNDED);
    }

    /// It is the time of one try, for which nobody waits while the client still streams.
    @Test
    void expectsNothingOfAStreamOfGrpcsThatItsClientHasNotEnded() {
        var budget = Budget.of(
                new Asked(Map.of(GrpcTimeout.NAME, "60S", ExpectedTimeout.NAME, "2000")), true, NONE, ARRIVED);
        budget.begins(ARRIVED, false);

        assertThat(budget.check(after(10_000), false)).isEqualTo(millis(50_000));
        budget.complete(after(10_000));

        assertThat(budget.check(after(10_500), false)).isEqualTo(millis(1_500));
        assertThat(budget.check(after(10_500), true)).isEqualTo(millis(49_500));
    }

    @Test
    void hasNoBoundOfItsOwnInWhatBothHeadersSay() {
        var budget = Budget.of(
                new Asked(Map.of(GrpcTimeout.NAME, "1999700u", ExpectedTimeout.NAME, "1999")), true, NONE, ARRIVED);

        assertThat(budget.isForBeginning()).isFalse();
    }

    @Test
    void takesGrpcsHeaderFromCallsOfGrpcOnly() {
        var budget = Budget.of(new Asked(Map.of(GrpcTimeout.NAME, "1m")), false, NONE, ARRIVED);
        budget.begins(ARRIVED, true);

        assertThat(budget.left(after(5))).isEqualTo(Budget.UNBOUNDED);
    }

    @Test
    void isSpentWhereTheCallerWaitsNoLonger() {
        assertThat(grpc("0S", NONE).left(ARRIVED)).isZero();
    }

    @Test
    void saysWhoseTimeIsOver() {
        assertThat(grpc("300m", Duration.ofSeconds(5)).isCallers(ARRIVED)).isTrue();
        assertThat(grpc("9S", Duration.ofSeconds(5)).isCallers(ARRIVED)).isFalse();
        assertThat(grpc("9S", NONE).isCallers(ARRIVED)).isTrue();
        assertThat(grpc("never", NONE).isCallers(ARRIVED)).isFalse();
        assertThat(spent(grpc("300m", Duration.ofSeconds(5)), 300))
                .isEqualTo(new Refusal.OutOfTime(Duration.ofMillis(300), "grpc-timeout"));
        assertThat(spent(grpc("9S", Duration.ofSeconds(5)), 5_000))
                .isEqualTo(new Refusal.TimedOut(Duration.ofSeconds(5), ORIGIN));
        var expected = Budget.of(new Asked(Map.of(ExpectedTimeout.NAME, "250")), false, NONE, ARRIVED);
        expected.begins(ARRIVED, true);
        var refusal = spent(expected, 250);

        assertThat(refusal.sentence())
                .isEqualTo("no complete answer within the 250 ms that the caller has left for it"
                        + " (x-envoy-expected-rq-timeout-ms)");
        assertThat(refusal.status()).isEqualTo(504);
        assertThat(refusal.flag()).isEqualTo("UT");
    }

    private static Refusal spent(Budget budget, long atMillis) {
        budget.begins(ARRIVED, true);
        assertThat(budget.leftToBegin(after(atMillis))).isZero();
        return budget.spent(after(atMillis), false, ORIGIN);
    }

    private static Budget grpc(String asked, Duration timeout) {
        return Budget.of(new Asked(Map.of(GrpcTimeout.NAME, asked)), true, timeout, ARRIVED);
    }

    private static long after(long millis) {
        return ARRIVED + millis(millis);
    }

    private static long millis(long millis) {
        return millis * 1_000_000;
    }

    private record Asked(Map<String, String> headers) implements RequestHead {
        @Override
        public String method() {
            return "POST";
        }

        @Override
        public String scheme() {
            return "http";
        }

        @Override
        public String authority() {
            return "pay";
        }

        @Override
        public String path() {
            return "/";
        }

        @Override
        public @Nullable CharSequence header(String name) {
            return headers.get(name);
        }
    }
}
