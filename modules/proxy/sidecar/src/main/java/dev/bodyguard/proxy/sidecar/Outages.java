package dev.bodyguard.proxy.sidecar;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Which services of the control plane do not answer now, since when and why, and what holds meanwhile. Whoever talks
/// to
/// them tells; of identity, which is asked when a certificate is due, `LiveSvid` does. Any thread.
final class Outages {
    /// Whom a sidecar needs, in the order in which it is told of them.
    enum Service {
        CONFIG("what was received stays in force"),
        DISCOVERY("callers keep this workload as they know it"),
        TELEMETRY("counters go on here and are told later, spans wait as far as there is room");

        final String meanwhile;

        Service(String meanwhile) {
            this.meanwhile = meanwhile;
        }
    }

    private record Outage(Instant since, String why) {}

    private final InstantSource clock;
    // Guarded by this.
    private final Map<Service, Outage> now = new EnumMap<>(Service.class);

    Outages(InstantSource clock) {
        this.clock = clock;
    }

    /// It did not answer, for this reason; once more, where it has not since.
    synchronized void goOn(Service service, String why) {
        var before = now.get(service);
        now.put(service, new Outage(before == null ? clock.instant() : before.since, why));
    }

    synchronized void end(Service service) {
        now.remove(service);
    }

    /// One for each service that does not answer.
    synchronized List<String> sentences() {
        var moment = clock.instant();
        return now.entrySet().stream()
                .map(entry -> entry.getKey().name().toLowerCase(Locale.ROOT) + " has not answered for "
                        + Duration.between(entry.getValue().since, moment).toSeconds() + " s (since "
                        + entry.getValue().since.truncatedTo(ChronoUnit.SECONDS) + "): " + entry.getValue().why + "; "
                        + entry.getKey().meanwhile)
                .toList();
    }
}
