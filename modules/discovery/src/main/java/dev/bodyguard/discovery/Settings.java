package dev.bodyguard.discovery;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// What discovery can be told.
///
/// @param documents where they come from
/// @param listen where subscribers and workloads connect; port 0 takes a free one
/// @param trustDomain of every peer
/// @param lease how long a workload is believed in without a word from it
/// @param grace how long it may take to come back after its stream broke
/// @param memory file that keeps registrations over a restart, beside a folder for what broken files said before; null:
///     they are forgotten
/// @param mostWorkloads registrations beyond are refused
/// @param mostWorkloadsPerAccount the same for one service account, so that no member takes them all
/// @param registrationsPerSecond how often the workloads of one service account may come or change, in the long run; as
///     many at once as it may have
public record Settings(
        From documents,
        InetSocketAddress listen,
        String trustDomain,
        Duration lease,
        Duration grace,
        @Nullable Path memory,
        int mostWorkloads,
        int mostWorkloadsPerAccount,
        int registrationsPerSecond) {
    public Settings {
        Objects.requireNonNull(documents);
        Objects.requireNonNull(listen);
        if (lease.compareTo(Duration.ofMillis(300)) < 0) {
            throw new IllegalArgumentException("lease must be 300 ms or more, was " + lease);
        }
        if (grace.isNegative()) {
            throw new IllegalArgumentException("grace must be 0 or more, was " + grace);
        }
        if (mostWorkloads < 1) {
            throw new IllegalArgumentException("mostWorkloads must be 1 or more, was " + mostWorkloads);
        }
        if (mostWorkloadsPerAccount < 1) {
            throw new IllegalArgumentException(
                    "mostWorkloadsPerAccount must be 1 or more, was " + mostWorkloadsPerAccount);
        }
        if (registrationsPerSecond < 1) {
            throw new IllegalArgumentException(
                    "registrationsPerSecond must be 1 or more, was " + registrationsPerSecond);
        }
    }

    /// The usual ones.
    public static Settings of(From documents, InetSocketAddress listen, String trustDomain, @Nullable Path memory) {
        return new Settings(
                documents,
                listen,
                trustDomain,
                Duration.ofSeconds(10),
                Duration.ofSeconds(2),
                memory,
                10_000,
                1_000,
                10);
    }
}
