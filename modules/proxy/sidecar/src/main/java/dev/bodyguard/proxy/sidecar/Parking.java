package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.wire.Loop;
import java.time.Duration;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

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

    /// A way to go on.
    interface Exit {
        /// Whether the request can go on now.
        boolean isOpen();

        /// Goes on, told something or not.
        void leave();
    }

    /// Waits until the exit is open, or long enough; null where every place is taken. On that loop.
    @Nullable
    Place park(Loop loop, Exit exit) {
        var lot = lots.get(loop);
        if (lot == null || lot.taken.size() >= places) {
            return null;
        }
        var place = new Place(lot, exit);
        lot.taken.add(place);
        place.timer = loop.after(patience, place::leave);
        return place;
    }

    /// Something was told: whoever waited for it may go on. From any thread.
    void look() {
        for (var lot : lots.values()) {
            lot.loop.execute(lot::look);
        }
    }

    /// One request's. Owned by its loop.
    static final class Place {
        private final Lot lot;
        private final Exit exit;
        private Loop.@Nullable Timer timer;

        private Place(Lot lot, Exit exit) {
            this.lot = lot;
            this.exit = exit;
        }

        /// Whoever waited does not any more: somebody else may have the place, and the exit is not taken.
        void giveUp() {
            if (lot.taken.remove(this) && timer != null) {
                timer.cancel();
            }
        }

        private void leave() {
            if (lot.taken.contains(this)) {
                giveUp();
                exit.leave();
            }
        }
    }

    /// One loop's. Owned by that loop.
    private static final class Lot {
        private final Loop loop;
        private final Set<Place> taken = new LinkedHashSet<>();

        Lot(Loop loop) {
            this.loop = loop;
        }

        void look() {
            for (var place : List.copyOf(taken)) {
                if (taken.contains(place) && place.exit.isOpen()) {
                    place.leave();
                }
            }
        }
    }
}
