package dev.bodyguard.proxy.engine;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// An endpoint that failed too often in a row is left alone for a while.
///
/// @param inARow how many failures it took
/// @param time from the last of these until it is in service again
/// @param counts how many first ejections this one lasts, unless that is longer than any may
public record Ejection(Whom whom, Cause cause, long inARow, Duration time, long counts) {
    /// Who is ejected, and from where.
    ///
    /// @param cluster `outbound|80|v2|payment-service.default.svc.cluster.local`
    /// @param address `127.0.0.1:30112`
    /// @param workload empty where it is not known
    /// @param origin what the cluster's policy is due to, null where nobody wrote one
    public record Whom(
            String cluster,
            ClusterPlan.Service service,
            String address,
            String workload,
            @Nullable String origin) {
        /// `workload payment-service-v2-8002 at 127.0.0.1:30112`.
        @Override
        public String toString() {
            return workload.isEmpty() ? address : "workload " + workload + " at " + address;
        }
    }

    /// What there was too much of.
    public enum Cause {
        SERVER_ERRORS("consecutive_5xx", "answered 5xx or not at all"),
        GATEWAY_ERRORS("consecutive_gateway_failure", "answered 502, 503, 504 or not at all"),
        LOCAL_ERRORS("consecutive_local_origin_failure", "did not answer");

        private final String word;
        private final String sentence;

        Cause(String word, String sentence) {
            this.word = word;
            this.sentence = sentence;
        }

        /// Envoy's word for it: `consecutive_5xx`.
        public String word() {
            return word;
        }
    }

    /// `5 times in a row it answered 5xx or not at all`.
    public String why() {
        return (inARow == 1 ? "it " : inARow + " times in a row it ") + cause.sentence;
    }

    /// One that goes on.
    ///
    /// @param left until it is over
    public record Ongoing(Ejection ejection, Duration left) {}
}
