package dev.bodyguard.proxy.wire;

import java.util.ArrayList;

/// The connections of a loop that watch their own time.
final class Swept {
    /// Something that may have waited too long.
    interface Item {
        /// `now` as of `System.nanoTime()`. May remove this or other items.
        void sweep(long now);
    }

    private final ArrayList<Item> items = new ArrayList<>();

    void add(Item item) {
        items.add(item);
    }

    void remove(Item item) {
        items.remove(item);
    }

    void sweep(long now) {
        for (int i = items.size() - 1; i >= 0; i--) {
            if (i < items.size()) {
                items.get(i).sweep(now);
            }
        }
    }
}
