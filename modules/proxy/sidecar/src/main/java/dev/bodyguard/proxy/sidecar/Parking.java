package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.wire.Loop;
import java.time.Duration;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;

/// Where requests wait for the first word about their host: not for long, and not many of them.
final class Parking {
    private final IdentityHashMap<Loop, Lot> lots = new IdentityHashMap<>();
    private final Duration patience;
    private final int places;

    /// @param patience how long a request waits
    /// @param places how many requests may wait on one loop
    Parking(List<Loop> loops, Duration patience, int places) {
        this.patience = patience;
        this.places = places;
        for (var loop : loops) {
            lots.put(loop, new Lot(loop));
        }
    }

    /// Whoever waits; owned by its loop.
    interface Waiting {
        Loop loop();

        boolean isOver();

        /// Does `next` after a while, unless it is over before, or the wait is stopped.
        void wait(Duration atMost, Runnable next);

        /// Ends a wait; false where there is none any more.
        boolean stopWaiting();
    }

    /// A way to go on.
    interface Exit {
        /// Whether the request can go on now.
        boolean isOpen();

        /// Goes on, told something or not.
        void leave();
    }

    /// Waits until the exit is open, or long enough; false where every place is taken. On the waiting one's loop.
    boolean park(Waiting call, Exit exit) {
        var lot = lots.get(call.loop());
        if (lot == null || lot.parked.size() >= places) {
            return false;
        }
        var parked = new Parked(call, exit);
        lot.parked.add(parked);
        call.wait(patience, () -> {
            lot.parked.remove(parked);
            exit.leave();
        });
        return true;
    }

    /// Something was told: whoever waited for it may go on. From any thread.
    void look() {
        for (var lot : lots.values()) {
            lot.loop.execute(lot::look);
        }
    }

    private record Parked(Waiting call, Exit exit) {}

    /// One loop's. Owned by that loop.
    private static final class Lot {
        private final Loop loop;
        private final List<Parked> parked = new ArrayList<>();

        Lot(Loop loop) {
            this.loop = loop;
        }

        void look() {
            var leaving = new ArrayList<Parked>();
            parked.removeIf(one -> {
                if (one.call().isOver()) {
                    return true;
                }
                boolean open = one.exit().isOpen();
                if (open) {
                    leaving.add(one);
                }
                return open;
            });
            for (var one : leaving) {
                if (one.call().stopWaiting()) {
                    one.exit().leave();
                }
            }
        }
    }
}
