package dev.bodyguard.proxy.sidecar;

import io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Queue;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;

/// Writes a line per exchange on a thread of its own, so that a slow reader of stdout never holds up a request.
///
/// The queue has an end: what does not fit is counted and forgotten. Lines are rendered on the writing thread.
final class AccessLog<T> implements AutoCloseable {
    private static final int ROOM = 8_192;

    private final Queue<T> waiting = PlatformDependent.newFixedMpscQueue(ROOM);
    private final LongAdder dropped = new LongAdder();
    private final OutputStream out;
    private final BiConsumer<T, StringBuilder> rendering;
    private final Thread writer;
    private volatile boolean parked;
    private volatile boolean closed;

    /// @param rendering appends a line, its end included
    AccessLog(OutputStream out, BiConsumer<T, StringBuilder> rendering) {
        this.out = out;
        this.rendering = rendering;
        this.writer = Thread.ofPlatform().name("access-log").daemon(true).unstarted(this::write);
        writer.start();
    }

    /// From any event loop: neither blocks nor locks.
    void write(T line) {
        if (!waiting.offer(line)) {
            dropped.increment();
        } else if (parked) {
            LockSupport.unpark(writer);
        }
    }

    /// Lines that nobody will ever read, because stdout was too slow for them.
    long dropped() {
        return dropped.sum();
    }

    private void write() {
        var block = new StringBuilder(16_384);
        while (true) {
            // Read before the queue is: what was offered before the close is then still seen.
            boolean last = closed;
            T line = waiting.poll();
            try {
                if (line == null) {
                    if (!block.isEmpty()) {
                        flush(block);
                    }
                    if (last) {
                        return;
                    }
                    parked = true;
                    if (waiting.isEmpty() && !closed) {
                        LockSupport.park(this);
                    }
                    parked = false;
                    continue;
                }
                rendering.accept(line, block);
                if (block.length() > 8_192) {
                    flush(block);
                }
            } catch (IOException _) {
                // Nobody reads us any more, and there is nowhere left to say so.
                dropped.increment();
                block.setLength(0);
            }
        }
    }

    private void flush(StringBuilder block) throws IOException {
        out.write(block.toString().getBytes(StandardCharsets.UTF_8));
        out.flush();
        block.setLength(0);
    }

    /// Writes what is waiting, at most for a second.
    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(writer);
        try {
            writer.join(1_000);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
