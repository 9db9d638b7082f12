package dev.bodyguard.proxy.sidecar;

import java.util.concurrent.atomic.AtomicReferenceArray;

/// Places where somebody has lately spoken first in a way that makes a connection dialled beforehand useless: HTTP, or
/// TLS of the mesh. Where that was heard a client has a moment to do so again.
///
/// What is noted may be forgotten, as each key has one slot that it shares; a mistake costs a connection, or a moment.
/// For many event loops.
final class Heard {
    private static final int SLOTS = 1_024;

    private final AtomicReferenceArray<Object> slots = new AtomicReferenceArray<>(SLOTS);

    void note(Object key) {
        slots.lazySet(slot(key), key);
    }

    boolean at(Object key) {
        return key.equals(slots.get(slot(key)));
    }

    /// Something else was heard there.
    void forget(Object key) {
        int slot = slot(key);
        var known = slots.get(slot);
        if (key.equals(known)) {
            slots.compareAndSet(slot, known, null);
        }
    }

    private static int slot(Object key) {
        int hash = key.hashCode() * 0x9e3779b9;
        return hash >>> 22;
    }
}
