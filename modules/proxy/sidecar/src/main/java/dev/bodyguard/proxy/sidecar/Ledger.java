package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.telemetry.record.Exchange;
import dev.bodyguard.telemetry.record.Meters;
import java.time.InstantSource;

/// Where exchanges end: counted, and written down. Called on the event loops.
final class Ledger {
    private final Meters meters;
    private final AccessLog<Exchange> log;
    private final InstantSource clock;

    Ledger(Meters meters, AccessLog<Exchange> log, InstantSource clock) {
        this.meters = meters;
        this.log = log;
        this.clock = clock;
    }

    long now() {
        return clock.millis();
    }

    Meters meters() {
        return meters;
    }

    void record(Facts facts) {
        var exchange = facts.over(System.nanoTime());
        meters.record(exchange);
        log.write(exchange);
    }
}
