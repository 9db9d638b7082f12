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

    /// Nobody knows what an app would say that nobody has asked for so long; a patient caller takes a minute.
    private static final Duration STALE = Duration.ofMinutes(2);

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

    /// @param since when the first of the requests was given up: it may have begun before the last answer
    /// @param until when the last of them was given up
    private record Silence(Instant since, Instant until, int requests, boolean told) {
        boolean isStale(Instant now) {
            return Duration.between(until, now).compareTo(STALE) > 0;
        }

        Silence more(Instant now) {
            return new Silence(
                    since,
                    now,
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
    void unanswered() {
        var now = clock.instant();
        var before = silence.getAndUpdate(one -> next(one, now));
        if ((before == null || before.isStale(now) || !before.told) && next(before, now).told) {
            sentence().ifPresent(events::began);
        }
    }

    private static Silence next(@Nullable Silence before, Instant now) {
        return before == null || before.isStale(now) ? new Silence(now, now, 1, false) : before.more(now);
    }

    /// What is wrong; empty while it answers, and once nobody was let down for two minutes.
    Optional<String> sentence() {
        var now = silence.get();
        if (now == null || !now.told || now.isStale(clock.instant())) {
            return Optional.empty();
        }
        return Optional.of("the app on " + app + " has answered none of the last " + now.requests + " requests, for "
                + Duration.between(now.since, clock.instant()).toSeconds() + " s (since "
                + now.since.truncatedTo(ChronoUnit.SECONDS)
                + "): it accepts connections, as one does that hangs or was stopped");
    }
}
