package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.identity.client.Events;
import dev.bodyguard.identity.spiffe.Svid;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Whether this workload's certificate is renewed in time. It is due at two thirds of its life, and tried again
/// many times before five sixths are over; whoever is still at it then will not succeed without help. Any
/// thread.
final class Renewals implements Events {
    private final Supplier<@Nullable Svid> svid;
    private final InstantSource clock;
    /// Why the last try failed; empty where none has since the certificate is in force.
    private volatile String failure = "";

    Renewals(Supplier<@Nullable Svid> svid, InstantSource clock) {
        this.svid = svid;
        this.clock = clock;
    }

    @Override
    public void rotated(Svid renewed) {
        failure = "";
    }

    @Override
    public void failed(String why, @Nullable Svid old, Duration nextTry) {
        failure = why;
    }

    /// What is wrong; empty while there is time, and where there was no certificate yet.
    Optional<Problem> problem() {
        var current = svid.get();
        if (current == null) {
            return Optional.empty();
        }
        var issued = current.issuedAt();
        var expires = current.expiresAt();
        var life = Duration.between(issued, expires);
        var now = clock.instant();
        if (now.isBefore(issued.plus(life.multipliedBy(5).dividedBy(6)))) {
            return Optional.empty();
        }
        var why = failure;
        var renewal = "the renewal that was due at "
                + seconds(issued.plus(life.multipliedBy(2).dividedBy(3)))
                + (why.isEmpty() ? " has not ended" : " fails: " + why)
                + "; it is tried again until it succeeds: is the identity service up, reached from here, and does it know"
                + " this workload's token?";
        return Optional.of(
                now.isBefore(expires)
                        ? problem(Problem.Severity.WARNING, "expires at " + seconds(expires) + ", and " + renewal)
                        : problem(
                                Problem.Severity.ERROR,
                                "expired at " + seconds(expires) + ", so peers refuse it, and " + renewal));
    }

    private static Problem problem(Problem.Severity severity, String sentence) {
        return new Problem(Problem.About.CERTIFICATE, severity, "its certificate " + sentence);
    }

    private static Instant seconds(Instant instant) {
        return instant.truncatedTo(ChronoUnit.SECONDS);
    }
}
