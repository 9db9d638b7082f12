package dev.bodyguard.proxy.engine;

import com.google.protobuf.UInt32Value;
import io.envoyproxy.envoy.config.cluster.v3.OutlierDetection;
import java.time.Duration;

/// When an endpoint of a cluster is ejected, and for how long: `envoy.config.cluster.v3.OutlierDetection`, by
/// counts of failures in a row. Ejection by success rates or failure percentages is refused where it is asked
/// for.
///
/// @param split whether attempts without an answer are counted by `localErrors`; otherwise each is a 503 or 504
/// @param interval nanoseconds in service by which the next ejection counts for one less
/// @param base nanoseconds that an ejection lasts which counts for one
/// @param most nanoseconds that any lasts, but for `jitter`
/// @param jitter nanoseconds that chance adds, at most
/// @param percent of a cluster's endpoints that may be ejected at one time
/// @param oneAlways whether one may be, whatever `percent` says
record OutlierPolicy(
        Trigger serverErrors,
        Trigger gatewayErrors,
        Trigger localErrors,
        boolean split,
        long interval,
        long base,
        long most,
        long jitter,
        int percent,
        boolean oneAlways) {
    /// Failures in a row that are too many.
    ///
    /// @param inARow 0 is never reached
    /// @param enforced of a hundred times that it is reached, how many lead to an ejection
    record Trigger(long inARow, int enforced) {}

    /// Whether one more endpoint may be ejected.
    ///
    /// @param ejected how many are
    /// @param all how many there are
    boolean allows(int ejected, int all) {
        return (oneAlways && ejected == 0) || 100L * (ejected + 1) <= (long) percent * all;
    }

    /// What an ejection counts for: one more than the last one, less what was made up for since.
    ///
    /// @param last what that one counted for, 0 where there was none
    /// @param inService nanoseconds since it was over
    long counts(long last, long inService) {
        long left = Math.max(0, last - Math.max(0, inService) / interval);
        return left <= Math.ceilDiv(most, base) ? left + 1 : left;
    }

    /// Nanoseconds that an ejection lasts, but for chance.
    ///
    /// @param counts what it counts for
    long time(long counts) {
        return counts > most / base ? most : counts * base;
    }

    static OutlierPolicy compile(OutlierDetection given) throws Invalid {
        return new Reading(given).policy();
    }

    /// The message with Envoy's defaults.
    private record Reading(OutlierDetection given) {
        private static final String AT = "outlier_detection.";
        private static final Duration INTERVAL = Duration.ofSeconds(10);
        private static final Duration BASE = Duration.ofSeconds(30);
        private static final Duration MOST = Duration.ofMinutes(5);
        /// Who waits for longer waits no longer; sums of them are still numbers.
        private static final Duration LONGEST = Duration.ofDays(3_650);

        OutlierPolicy policy() throws Invalid {
            onlyConsecutive();
            Duration base =
                    given.hasBaseEjectionTime() ? time(given.getBaseEjectionTime(), "base_ejection_time") : BASE;
            Duration usual = base.compareTo(MOST) > 0 ? base : MOST;
            Duration most = given.hasMaxEjectionTime() ? time(given.getMaxEjectionTime(), "max_ejection_time") : usual;
            if (most.compareTo(base) < 0) {
                throw new Invalid(
                        AT + "max_ejection_time",
                        "must not be less than base_ejection_time, " + base.toMillis() + " ms, was " + most.toMillis()
                                + " ms");
            }
            Duration interval = given.hasInterval() ? time(given.getInterval(), "interval") : INTERVAL;
            Duration jitter =
                    bounded(Hosts.duration(given.getMaxEjectionTimeJitter(), AT + "max_ejection_time_jitter"));
            return new OutlierPolicy(
                    new Trigger(
                            given.hasConsecutive5Xx() ? count(given.getConsecutive5Xx()) : 5,
                            given.hasEnforcingConsecutive5Xx()
                                    ? percent(given.getEnforcingConsecutive5Xx(), "enforcing_consecutive_5xx")
                                    : 100),
                    new Trigger(
                            given.hasConsecutiveGatewayFailure() ? count(given.getConsecutiveGatewayFailure()) : 5,
                            given.hasEnforcingConsecutiveGatewayFailure()
                                    ? percent(
                                            given.getEnforcingConsecutiveGatewayFailure(),
                                            "enforcing_consecutive_gateway_failure")
                                    : 0),
                    new Trigger(
                            given.hasConsecutiveLocalOriginFailure()
                                    ? count(given.getConsecutiveLocalOriginFailure())
                                    : 5,
                            given.hasEnforcingConsecutiveLocalOriginFailure()
                                    ? percent(
                                            given.getEnforcingConsecutiveLocalOriginFailure(),
                                            "enforcing_consecutive_local_origin_failure")
                                    : 100),
                    given.getSplitExternalLocalOriginErrors(),
                    interval.toNanos(),
                    base.toNanos(),
                    most.toNanos(),
                    jitter.toNanos(),
                    given.hasMaxEjectionPercent() ? percent(given.getMaxEjectionPercent(), "max_ejection_percent") : 10,
                    given.getAlwaysEjectOneHost().getValue());
        }

        /// Envoy ejects by success rate unless told not to; here that is so where nobody speaks of it.
        private void onlyConsecutive() throws Invalid {
            zero(given.getEnforcingSuccessRate(), "enforcing_success_rate");
            zero(given.getEnforcingLocalOriginSuccessRate(), "enforcing_local_origin_success_rate");
            zero(given.getEnforcingFailurePercentage(), "enforcing_failure_percentage");
            zero(given.getEnforcingFailurePercentageLocalOrigin(), "enforcing_failure_percentage_local_origin");
            Matching.unsupported(given.getMonitorsCount() > 0, AT + "monitors");
        }

        private static void zero(UInt32Value value, String field) throws Invalid {
            if (value.getValue() != 0) {
                throw new Invalid(
                        AT + field,
                        "must be 0, as nothing is ejected by it here, was "
                                + Integer.toUnsignedString(value.getValue()));
            }
        }

        private static long count(UInt32Value value) {
            return Integer.toUnsignedLong(value.getValue());
        }

        private static int percent(UInt32Value value, String field) throws Invalid {
            long percent = count(value);
            if (percent > 100) {
                throw new Invalid(AT + field, "must be 0 to 100, was " + percent);
            }
            return (int) percent;
        }

        private static Duration time(com.google.protobuf.Duration value, String field) throws Invalid {
            Duration time = Hosts.duration(value, AT + field);
            if (!time.isPositive()) {
                throw new Invalid(AT + field, "must be more than 0");
            }
            return bounded(time);
        }

        private static Duration bounded(Duration time) {
            return time.compareTo(LONGEST) > 0 ? LONGEST : time;
        }
    }
}
