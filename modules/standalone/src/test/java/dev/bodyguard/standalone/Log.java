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

    synchronized String await(String part) throws InterruptedException {
        long until = System.nanoTime() + Sidecar.PATIENCE.toNanos();
        while (true) {
            for (String line : lines) {
                if (line.contains(part)) {
                    return line;
                }
            }
            long left = (until - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                throw new AssertionError("never logged '" + part + "' but " + lines);
            }
            wait(left);
        }
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
        root.removeHandler(this);
    }
}
