package dev.bodyguard.proxy.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RetryPolicyTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "5xx                    | 503       | RETRY",
                "5xx                    | 404       | FINAL",
                "5xx                    | connect   | RETRY",
                "5xx                    | reset     | RETRY",
                "5xx                    | timeout   | RETRY",
                "5xx                    | refused   | RETRY",
                "gateway-error          | 500       | FINAL",
                "gateway-error          | 502       | RETRY",
                "gateway-error          | 504       | RETRY",
                "gateway-error          | reset     | RETRY",
                "reset                  | 503       | FINAL",
                "reset                  | reset     | RETRY",
                "reset                  | timeout   | RETRY",
                "reset-before-request   | reset     | FINAL",
                "reset-before-request   | unsent    | RETRY",
                "connect-failure        | connect   | RETRY",
                "connect-failure        | reset     | FINAL",
                "connect-failure        | timeout   | FINAL",
                "connect-failure        | 503       | FINAL",
                "refused-stream         | refused   | RETRY",
                "refused-stream         | reset     | FINAL",
                "refused-stream         | connect   | FINAL",
                "retriable-4xx          | 409       | RETRY",
                "retriable-4xx          | 404       | FINAL",
                "retriable-status-codes | 418       | RETRY",
                "retriable-status-codes | 503       | FINAL",
                "unavailable            | grpc14    | RETRY",
                "unavailable            | grpc13    | FINAL",
                "cancelled              | grpc1     | RETRY",
                "deadline-exceeded      | grpc4     | RETRY",
                "resource-exhausted     | grpc8     | RETRY",
                "internal               | grpc13    | RETRY",
            })
    void doesWhatEnvoyDocumentsForEachWord(String word, String outcome, RetryDecision expected) {
        assertThat(policy(2, word).decide(outcome(outcome), 1, true)).isEqualTo(expected);
    }

    @Test
    void leavesRefusalsByPolicyAloneByDefault() {
        for (var words : List.of("5xx,connect-failure,reset", "connect-failure,refused-stream")) {
            var policy = policy(2, words.split(","));

            for (var refused : List.of(
                    new Outcome.Responded(403, -1),
                    new Outcome.Responded(429, -1),
                    new Outcome.Responded(200, 7),
                    new Outcome.Responded(200, 8))) {
                assertThat(policy.decide(refused, 1, true)).as(words).isEqualTo(RetryDecision.FINAL);
            }
        }
    }

    @Test
    void stopsAfterTheRetriesItHas() {
        var policy = policy(2, "5xx");
        var failed = new Outcome.Responded(503, -1);

        assertThat(policy.decide(failed, 2, true)).isEqualTo(RetryDecision.RETRY);
        assertThat(policy.decide(failed, 3, true)).isEqualTo(RetryDecision.ATTEMPTS_EXHAUSTED);
        assertThat(policy.decide(new Outcome.Responded(200, -1), 3, true)).isEqualTo(RetryDecision.FINAL);
        assertThat(RetryPolicy.NONE.decide(failed, 1, true)).isEqualTo(RetryDecision.FINAL);
    }

    @Test
    void doesNotRepeatWhatCannotBeSentAgain() {
        assertThat(policy(2, "5xx").decide(new Outcome.Responded(503, -1), 1, false))
                .isEqualTo(RetryDecision.NOT_REPLAYABLE);
    }

    @Test
    void aPostUnderTheDefaultRuleIsRepeatedOnlyIfItWasCertainlyNotProcessed() {
        // The third route of the default rule; see also that `:method` splits the routes, in RoutingTest.
        var policy = policy(3, "connect-failure", "refused-stream");

        for (String word : new String[] {"500", "502", "503", "504", "409", "reset", "unsent", "timeout", "grpc14"}) {
            assertThat(policy.decide(outcome(word), 1, true)).as(word).isEqualTo(RetryDecision.FINAL);
        }
        assertThat(policy.decide(outcome("connect"), 1, true)).isEqualTo(RetryDecision.RETRY);
        assertThat(policy.decide(outcome("refused"), 1, true)).isEqualTo(RetryDecision.RETRY);
    }

    @Test
    void pausesGrowToTheirBoundAndAreSpreadOut() {
        var policy = policy(20, "5xx");
        var random = new Random(3);

        for (int retry = 1; retry <= 20; retry++) {
            long bound = retry > 4 ? 250 : 25L << (retry - 1);
            long longest = 0;
            for (int i = 0; i < 2_000; i++) {
                long pause = policy.backoff(retry, random).toMillis();
                assertThat(pause).isBetween(0L, bound - 1);
                longest = Math.max(longest, pause);
            }
            assertThat(longest).isGreaterThan(bound * 9 / 10);
        }
    }

    @Test
    void theBudgetIsAShareOfActiveRequestsAndNeverLessThanItsMinimum() {
        var budget = new RetryBudget(20, 3, new RetryBudget.Counters());

        assertThat(take(budget, 5)).isEqualTo(3);
        for (int i = 0; i < 50; i++) {
            budget.requestStarted();
        }
        assertThat(take(budget, 20)).isEqualTo(7);
        for (int i = 0; i < 10; i++) {
            budget.retryEnded();
        }
        for (int i = 0; i < 50; i++) {
            budget.requestEnded();
        }
        assertThat(take(budget, 5)).isEqualTo(3);
    }

    private static int take(RetryBudget budget, int wanted) {
        int taken = 0;
        for (int i = 0; i < wanted; i++) {
            taken += budget.tryRetry() ? 1 : 0;
        }
        return taken;
    }

    private static Outcome outcome(String text) {
        return switch (text) {
            case "connect" -> new Outcome.ConnectFailed();
            case "reset" -> new Outcome.ResetBeforeResponse(true);
            case "unsent" -> new Outcome.ResetBeforeResponse(false);
            case "refused" -> new Outcome.RefusedStream();
            case "timeout" -> new Outcome.PerTryTimeout();
            default ->
                text.startsWith("grpc")
                        ? new Outcome.Responded(200, Integer.parseInt(text.substring(4)))
                        : new Outcome.Responded(Integer.parseInt(text), -1);
        };
    }

    private static RetryPolicy policy(int retries, String... words) {
        return new RetryPolicy(
                Arrays.stream(words).map(RetryOn::of).toList(),
                Set.of(418),
                retries,
                Duration.ZERO,
                Duration.ofMillis(25),
                Duration.ofMillis(250),
                true);
    }
}
