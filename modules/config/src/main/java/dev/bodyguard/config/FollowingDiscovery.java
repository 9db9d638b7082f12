package dev.bodyguard.config;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What happens on discovery's stream, on its way to the events; and whether there is one. Called on the client's
/// thread; any may ask.
final class FollowingDiscovery implements dev.bodyguard.xds.client.Events {
    private final Events events;
    private final Feed feed;
    private final InstantSource clock;

    /// Null while it answers.
    private volatile @Nullable Outage now;

    private record Outage(Instant since, String why) {}

    FollowingDiscovery(Events events, Feed feed, InstantSource clock) {
        this.events = events;
        this.feed = feed;
        this.clock = clock;
    }

    @Override
    public void received(String typeUrl, String generation) {
        feed.is(generation);
    }

    @Override
    public void connected() {
        now = null;
        events.discoveryConnected();
    }

    @Override
    public void lost(String why, Duration retryIn) {
        var before = now;
        now = new Outage(before == null ? clock.instant() : before.since, why);
        events.discoveryLost(why, retryIn);
    }

    @Override
    public void nacked(String typeUrl, Map<String, String> rejected) {
        events.failed("reading discovery", new IllegalStateException(rejected.toString()));
    }

    /// Since when discovery has not answered, and why; empty while it does.
    Optional<String> outage() {
        var outage = now;
        if (outage == null) {
            return Optional.empty();
        }
        return Optional.of("discovery has not answered config for "
                + Duration.between(outage.since, clock.instant()).toSeconds() + " s (since "
                + outage.since.truncatedTo(ChronoUnit.SECONDS) + "): " + outage.why
                + "; everything stays as it is, and edits wait");
    }
}
