package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.wire.Tunnel;
import dev.bodyguard.telemetry.record.Edge;
import dev.bodyguard.telemetry.record.Exchange;
import dev.bodyguard.telemetry.record.Meters;
import java.time.InstantSource;
import java.util.List;
import java.util.function.Consumer;

/// Where exchanges end: whoever wants to know of one that is over is told here. Called on the event loops.
final class Ledger {
    private final Meters meters;
    private final List<Consumer<Exchange>> readers;
    private final Room room;
    private final InstantSource clock;

    /// @param readers none of which may block
    /// @param room for requests under way
    Ledger(Meters meters, List<Consumer<Exchange>> readers, Room room, InstantSource clock) {
        this.meters = meters;
        this.room = room;
        this.readers = List.copyOf(readers);
        this.clock = clock;
    }

    Meters meters() {
        return meters;
    }

    Room room() {
        return room;
    }

    /// What is to be found out about a request.
    Facts request(Edge.Reporter reporter, dev.bodyguard.proxy.wire.Exchange client) {
        return new Facts(reporter, client.connection(), client.request(), clock.millis(), System.nanoTime());
    }

    /// What is to be found out about bytes that are no HTTP.
    Facts tunnel(Edge.Reporter reporter, Tunnel tunnel) {
        return new Facts(reporter, tunnel.connection(), clock.millis(), System.nanoTime());
    }

    /// A tunnel carries bytes from now on; it ends as every exchange does.
    void opened(Facts facts) {
        meters.opened(facts.edge());
    }

    void record(Facts facts) {
        var exchange = facts.over(System.nanoTime());
        for (int i = 0; i < readers.size(); i++) {
            readers.get(i).accept(exchange);
        }
    }
}
