package dev.bodyguard.proxy.engine;

import org.jspecify.annotations.Nullable;

/// The header `grpc-timeout`: how long the caller of gRPC still waits, at most eight digits and a unit (gRPC over
/// HTTP/2, Requests).
///
/// One that does not read so bounds nothing, as Envoy has it; what to think of it is for the callee to say.
public final class GrpcTimeout {
    public static final String NAME = "grpc-timeout";

    private static final int DIGITS = 8;
    private static final long MOST = 99_999_999;
    private static final String UNITS = "numSMH";
    private static final long[] NANOS = {1, 1_000, 1_000_000, 1_000_000_000, 60_000_000_000L, 3_600_000_000_000L};

    private GrpcTimeout() {}

    /// What is left, in nanoseconds; [Budget#UNBOUNDED] where the value is none, or is longer than 292 years.
    ///
    /// Zero, which the grammar leaves out, is a caller who waits no longer.
    ///
    /// @param value null where there is none; of a header that came twice, both with a comma between
    public static long nanos(@Nullable CharSequence value) {
        int digits = value == null ? 0 : value.length() - 1;
        if (value == null || digits < 1 || digits > DIGITS) {
            return Budget.UNBOUNDED;
        }
        long number = 0;
        for (int i = 0; i < digits; i++) {
            int digit = value.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                return Budget.UNBOUNDED;
            }
            number = 10 * number + digit;
        }
        int unit = UNITS.indexOf(value.charAt(digits));
        if (unit < 0 || number > Budget.UNBOUNDED / NANOS[unit]) {
            return Budget.UNBOUNDED;
        }
        return number * NANOS[unit];
    }

    /// What is left as the header says it: never longer than it is, and as near as eight digits come to it.
    ///
    /// @param nanos 0 or more, which is said as 1: the grammar has no 0
    public static String text(long nanos) {
        int unit = 0;
        while (nanos / NANOS[unit] > MOST) {
            unit++;
        }
        return Math.max(1, nanos / NANOS[unit]) + UNITS.substring(unit, unit + 1);
    }
}
