package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.wire.Request;
import java.util.concurrent.atomic.AtomicLong;

/// How much memory requests under way may hold, wherever they wait: for config, for an upstream, for the app. Their
/// heads
/// count, and what is kept of their bodies for another attempt. Beyond it a request is refused, and a body not kept,
/// for
/// a process without memory serves nobody. From any event loop.
final class Room {
    /// What a request holds beside the words of its head: a call, an attempt, a stream, timers. Reckoned, not measured.
    static final int EACH = 4 << 10;

    private static final int SHARE = 5;

    private final long bytes;
    private final AtomicLong taken = new AtomicLong();

    Room(long bytes) {
        this.bytes = bytes;
    }

    /// A fifth of the heap; idle connections, the plan and rubbish need the rest.
    static Room ofHeap() {
        return new Room(Runtime.getRuntime().maxMemory() / SHARE);
    }

    /// Its words are held twice, as they came and as they are asked about.
    static int weight(Request request) {
        return EACH
                + 2
                        * (request.fields().bytes()
                                + request.path().length()
                                + request.authority().length());
    }

    /// False where there is none left, and nothing is taken.
    boolean take(int weight) {
        if (taken.addAndGet(weight) <= bytes) {
            return true;
        }
        taken.addAndGet(-weight);
        return false;
    }

    void giveBack(int weight) {
        taken.addAndGet(-weight);
    }

    long bytes() {
        return bytes;
    }

    long taken() {
        return taken.get();
    }
}
