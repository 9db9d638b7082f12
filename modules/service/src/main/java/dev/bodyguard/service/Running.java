package dev.bodyguard.service;

import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.Deque;

/// What a process has opened so far; closed in reverse, whatever fails on the way.
public final class Running implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger("dev.bodyguard.service");

    // Guarded by this: a signal closes on a thread of its own.
    private final Deque<AutoCloseable> open = new ArrayDeque<>();

    /// Takes it over: it is closed with the rest.
    public synchronized <T extends AutoCloseable> T open(T part) {
        open.push(part);
        return part;
    }

    public Running() {}

    @Override
    public synchronized void close() {
        while (!open.isEmpty()) {
            try {
                open.pop().close();
            } catch (Exception failed) {
                LOG.log(Level.WARNING, "while ending: " + failed);
            }
        }
    }
}
