package dev.bodyguard.telemetry.service;

import org.jspecify.annotations.Nullable;

/// One counter of one reporter.
///
/// @param security `mutual_tls` or `none` where the destination reports, otherwise `unknown`
/// @param code the HTTP status, `0` where there was none
/// @param grpc the gRPC status, empty where there is none
/// @param flags response flags, told apart only because the reporter does
record SeriesKey(
        Kind kind,
        Reporter reporter,
        EdgeKey edge,
        String security,
        String protocol,
        String code,
        String grpc,
        String flags) {
    enum Kind {
        REQUESTS,
        DURATION,
        RETRIES
    }

    enum Reporter {
        SOURCE("source"),
        DESTINATION("destination");

        final String word;

        Reporter(String word) {
            this.word = word;
        }

        static @Nullable Reporter of(String word) {
            for (var reporter : values()) {
                if (reporter.word.equals(word)) {
                    return reporter;
                }
            }
            return null;
        }
    }

    /// Whether the callee did its work: what a caller got wrong is not its failure.
    boolean success() {
        if (!grpc.isEmpty()) {
            // gRPC's statuses that speak of the server: unknown, deadline exceeded, internal, unavailable, data loss.
            return switch (grpc) {
                case "2", "4", "13", "14", "15" -> false;
                default -> true;
            };
        }
        return !code.startsWith("5") && !code.equals("0");
    }

    boolean mutualTls() {
        return security.equals("mutual_tls");
    }
}
