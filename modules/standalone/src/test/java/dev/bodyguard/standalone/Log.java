package dev.bodyguard.standalone;

import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/// What this process logs while it is open.
final class Log extends Handler implements AutoCloseable {
    private final List<String> lines = new ArrayList<>();
    private final Logger root = Logger.getLogger("");

    Log() {
        root.addHandler(this);
    }

    @Override
    public synchronized void publish(LogRecord event) {
        lines.add(event.getMessage());
        notifyAll();
    }

    /// The first line that holds this text, as soon as there is one.
    synchronized String await(String part) throws InterruptedException {
        long until = System.nanoTime() + Sidecar.PATIENCE.toNanos();
        while (true) {
            var found = with(part);
            if (!found.isEmpty()) {
                return found.getFirst();
            }
            long left = (until - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                throw new AssertionError("never logged '" + part + "' but " + lines);
            }
            wait(left);
        }
    }

    /// The lines that hold this text.
    synchronized List<String> with(String part) {
        return lines.stream().filter(line -> line.contains(part)).toList();
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
        root.removeHandler(this);
    }
}
