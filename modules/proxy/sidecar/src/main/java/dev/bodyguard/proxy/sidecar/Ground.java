package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.telemetry.record.Meters;
import java.time.InstantSource;
import java.util.Set;

/// What a sidecar has before anything else: time, counters, a log, who is lost, and what it is not ready for yet.
record Ground(InstantSource clock, Meters meters, Outages outages, SidecarLog log, Readiness readiness) {
    static Ground lacking(Set<Readiness.Need> needs) {
        var meters = new Meters();
        var outages = new Outages(InstantSource.system());
        return new Ground(
                InstantSource.system(),
                meters,
                outages,
                new SidecarLog(System.getLogger("bodyguard.sidecar"), meters, outages),
                new Readiness(needs));
    }
}
