package dev.bodyguard.proxy.engine;

import org.jspecify.annotations.Nullable;

/// The header `x-envoy-expected-rq-timeout-ms`: within how many milliseconds whoever sent the request on expects its
/// answer (Envoy, router filter).
///
/// One that is no number bounds nothing, and neither does 0, by which Envoy means none.
public final class ExpectedTimeout {
    public static final String NAME = "x-envoy-expected-rq-timeout-ms";

    private static final long NANOS = 1_000_000;

    private ExpectedTimeout() {}

    /// What is expected, in nanoseconds; [Budget#UNBOUNDED] where the value is none, or longer than 292 years.
    ///
    /// @param value null where there is none; of a header that came twice, both with a comma between
    public static long nanos(@Nullable CharSequence value) {
        int length = value == null ? 0 : value.length();
        long number = 0;
        for (int i = 0; value != null && i < length; i++) {
            int digit = value.charAt(i) - '0';
            if (digit < 0 || digit > 9 || number > Budget.UNBOUNDED / NANOS / 10 - 1) {
                return Budget.UNBOUNDED;
            }
            number = 10 * number + digit;
        }
        return number == 0 ? Budget.UNBOUNDED : number * NANOS;
    }

    /// The whole milliseconds that are left, and 1 within the last one, since 0 would be none.
    ///
    /// @param nanos 0 or more
    public static String text(long nanos) {
        return Long.toString(Math.max(1, nanos / NANOS));
    }
}
