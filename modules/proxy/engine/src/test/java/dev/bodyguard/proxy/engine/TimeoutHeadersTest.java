package dev.bodyguard.proxy.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TimeoutHeadersTest {
    @ParameterizedTest
    @CsvSource({
        "1n, 1",
        "5u, 5000",
        "300m, 300000000",
        "00000007S, 7000000000",
        "2M, 120000000000",
        "1H, 3600000000000",
        "99999999M, 5999999940000000000",
        "0S, 0"
    })
    void readsGrpcsTimes(String value, long nanos) {
        assertThat(GrpcTimeout.nanos(value)).isEqualTo(nanos);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "S",
                "5",
                "300",
                "-5S",
                "+5S",
                " 5S",
                "5 S",
                "5s",
                "5X",
                "5.5S",
                "1e3m",
                "0x5S",
                "999999999S",
                "000000005S",
                "5S,3S",
                "5SS",
                "٣S",
                "99999999H"
            })
    void takesWhatGrpcsGrammarHasNotForNoBound(String value) {
        assertThat(GrpcTimeout.nanos(value)).isEqualTo(Budget.UNBOUNDED);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 1n",
        "1, 1n",
        "99999999, 99999999n",
        "100000000, 100000u",
        "4999999999, 4999999u",
        "100000000000, 100000m",
        "100000000000000, 100000S",
        "9223372036854775806, 2562047H"
    })
    void saysATimeInEightDigits(long nanos, String text) {
        assertThat(GrpcTimeout.text(nanos)).isEqualTo(text);
    }

    @Test
    void neverLengthensATimeAndLosesNextToNothing() {
        var random = new Random(7);
        for (int i = 0; i < 20_000; i++) {
            long nanos = 1 + (random.nextLong() >>> (1 + random.nextInt(62)));
            var text = GrpcTimeout.text(nanos);

            assertThat(text).matches("[0-9]{1,8}[numSMH]");
            assertThat(GrpcTimeout.nanos(text)).isLessThanOrEqualTo(nanos).isGreaterThan(nanos - nanos / 100_000 - 1);
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "5000, 5000", "0000000000000000000000250, 250", "9000000000000, 9000000000000"})
    void readsEnvoysTimes(String value, long millis) {
        assertThat(ExpectedTimeout.nanos(value)).isEqualTo(TimeUnit.MILLISECONDS.toNanos(millis));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "0",
                "000",
                "-1",
                "+1",
                " 5",
                "5 ",
                "5ms",
                "5.0",
                "5000,3000",
                "0x10",
                "٣",
                "18446744073709551615",
                "99999999999999999999999999999999999999",
                "9223372036854775807"
            })
    void takesWhatIsNoNumberOfMillisecondsForNoBound(String value) {
        assertThat(ExpectedTimeout.nanos(value)).isEqualTo(Budget.UNBOUNDED);
    }

    @Test
    void areNoBoundsWhereTheyAreMissing() {
        assertThat(GrpcTimeout.nanos(null)).isEqualTo(Budget.UNBOUNDED);
        assertThat(ExpectedTimeout.nanos(null)).isEqualTo(Budget.UNBOUNDED);
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "999999, 1", "1000000, 1", "1999999, 1", "5000000000, 5000"})
    void saysTheWholeMillisecondsThatAreLeft(long nanos, String text) {
        assertThat(ExpectedTimeout.text(nanos)).isEqualTo(text);
    }
}
