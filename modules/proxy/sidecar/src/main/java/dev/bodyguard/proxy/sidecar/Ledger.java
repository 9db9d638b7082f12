package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.wire.Tunnel;
import dev.bodyguard.proxy.wire.Unread;
import dev.bodyguard.telemetry.record.Edge;
import dev.bodyguard.telemetry.record.Exchange;
import dev.bodyguard.telemetry.record.Meters;
import java.time.InstantSource;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/// Where exchanges end: each is counted, and whoever wants to know of one that is over is told here. Called on the
/// event
/// loops.
final class Ledger {
    private final Meters meters;
    private final List<Consumer<Exchange>> readers;
    private final BooleanSupplier sparing;
    private final Room room;
    private final InstantSource clock;

    /// @param readers none of which may block
    /// @param sparing asked at each request that could not be read, whether readers are told of it
    /// @param room for requests under way
    Ledger(Meters meters, List<Consumer<Exchange>> readers, BooleanSupplier sparing, Room room, InstantSource clock) {
        this.meters = meters;
        this.readers = List.copyOf(readers);
        this.sparing = sparing;
        this.room = room;
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

    /// What was found out about a request that could not be read; it ends by [#recordUnread].
    Facts unread(Edge.Reporter reporter, Unread what) {
        return new Facts(reporter, what, clock.millis(), System.nanoTime());
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
        meters.record(exchange);
        tell(exchange);
    }

    /// Whoever sends nonsense again and again shall not fill a disk by it.
    void recordUnread(Facts facts) {
        var exchange = facts.over(System.nanoTime());
        meters.record(exchange);
        if (sparing.getAsBoolean()) {
            tell(exchange);
        }
    }

    /// Tells of bytes that came nowhere, which are no connection to count.
    void tell(Facts facts) {
        tell(facts.over(System.nanoTime()));
    }

    private void tell(Exchange exchange) {
        for (int i = 0; i < readers.size(); i++) {
            readers.get(i).accept(exchange);
        }
    }
}
