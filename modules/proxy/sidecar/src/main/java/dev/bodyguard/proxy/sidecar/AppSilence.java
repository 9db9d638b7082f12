package dev.bodyguard.proxy.sidecar;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// Whether the app answers at all. The kernel takes connections for a process that hangs or was stopped, so that it
/// listens proves nothing; what it is asked and does not answer until the caller or a deadline gives up does. A request
/// that is still waited for proves nothing either: it may be a long poll. Any thread.
final class AppSilence {
    /// So many in a row: one caller in a hurry is no reason.
    private static final int REQUESTS = 3;

    /// For so long: an app may have to collect its garbage.
    private static final Duration WHILE = Duration.ofSeconds(3);

    /// Hears of it, once when it begins and once when it is over.
    interface Events {
        void began(String sentence);

        void ended(Duration after);
    }

    private final String app;
    private final InstantSource clock;
    private final Events events;
    /// Null while it answers.
    private final AtomicReference<@Nullable Silence> silence = new AtomicReference<>();

    /// @param since when the first of the requests began
    private record Silence(Instant since, int requests, boolean told) {
        Silence more(Instant now) {
            return new Silence(
                    since,
                    requests + 1,
                    told
                            || (requests + 1 >= REQUESTS
                                    && Duration.between(since, now).compareTo(WHILE) >= 0));
        }
    }

    /// @param app where it listens
    AppSilence(String app, InstantSource clock, Events events) {
        this.app = app;
        this.clock = clock;
        this.events = events;
    }

    /// It said something.
    void answered() {
        if (silence.get() == null) {
            return;
        }
        var over = silence.getAndSet(null);
        if (over != null && over.told) {
            events.ended(Duration.between(over.since, clock.instant()));
        }
    }

    /// It was asked and given up before it had said anything.
    ///
    /// @param began when the request did, in milliseconds since the epoch
    void unanswered(long began) {
        var now = clock.instant();
        var before = silence.getAndUpdate(one -> next(one, began, now));
        if ((before == null || !before.told) && next(before, began, now).told) {
            sentence().ifPresent(events::began);
        }
    }

    private static Silence next(@Nullable Silence before, long began, Instant now) {
        return (before == null ? new Silence(Instant.ofEpochMilli(began), 0, false) : before).more(now);
    }

    /// What is wrong; empty while it answers.
    Optional<String> sentence() {
        var now = silence.get();
        if (now == null || !now.told) {
            return Optional.empty();
        }
        return Optional.of("the app on " + app + " has answered none of the last " + now.requests + " requests, for "
                + Duration.between(now.since, clock.instant()).toSeconds() + " s (since "
                + now.since.truncatedTo(ChronoUnit.SECONDS)
                + "): it accepts connections, as one does that hangs or was stopped");
    }
}
