package dev.bodyguard.telemetry.service;

import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Bodies on their way in: for how long, how many at once, and how many of them are one identity's. A peer that does
/// not
/// send what it announced keeps a place of its own for a while, and nobody else's.
final class Reading {
    /// Each holds up to [Body#MOST] bytes, twice that where they are inflated.
    private static final int MOST = 64;

    private static final int MOST_OF_ONE_IDENTITY = 8;
    private static final Duration FOR_A_PLACE = Duration.ofSeconds(2);

    private final Shares places = new Shares(MOST_OF_ONE_IDENTITY, MOST);
    private final Set<Reader> readers = ConcurrentHashMap.newKeySet();
    private final Duration patience;

    /// @param patience how long a body may take to arrive
    Reading(Duration patience) {
        this.patience = patience;
    }

    interface Source {
        byte[] read() throws IOException, Refused;
    }

    /// What the source has, once all of it is here.
    byte[] whole(String identity, Source source) throws IOException, Refused, InterruptedException {
        enter(identity);
        var reader = new Reader(Thread.currentThread(), System.nanoTime() + patience.toNanos());
        readers.add(reader);
        try {
            byte[] body = source.read();
            reader.leave();
            return body;
        } catch (IOException | RuntimeException broken) {
            // An interrupted socket is closed, and says so.
            reader.leave();
            throw broken;
        } finally {
            readers.remove(reader);
            leave(identity);
        }
    }

    /// Lets what is left of a body pass that is not wanted, as long as a body may take.
    void rest(Runnable passing) {
        var reader = new Reader(Thread.currentThread(), System.nanoTime() + patience.toNanos());
        readers.add(reader);
        try {
            passing.run();
        } finally {
            readers.remove(reader);
            var _ = reader.leaveUnread();
        }
    }

    private synchronized void enter(String identity) throws Refused, InterruptedException {
        long until = System.nanoTime() + FOR_A_PLACE.toNanos();
        while (!places.take(identity)) {
            long left = Duration.ofNanos(until - System.nanoTime()).toMillis();
            if (left <= 0) {
                throw new Refused(503, "too many reports at once");
            }
            wait(left);
        }
    }

    private synchronized void leave(String identity) {
        places.giveBack(identity, 1);
        notifyAll();
    }

    /// Ends what takes too long; to be called about every second.
    void endLate() {
        long now = System.nanoTime();
        readers.forEach(reader -> reader.endIfLate(now));
    }

    private final class Reader {
        private final Thread thread;
        private final long until;
        private boolean late;
        private boolean left;

        Reader(Thread thread, long until) {
            this.thread = thread;
            this.until = until;
        }

        /// Again each time it is asked: the web server takes an interrupt for a part of the body that was empty.
        synchronized void endIfLate(long now) {
            if (!left && now - until >= 0) {
                late = true;
                thread.interrupt();
            }
        }

        /// Whether it was late.
        synchronized boolean leaveUnread() {
            left = true;
            if (late) {
                var _ = Thread.interrupted();
            }
            return late;
        }

        void leave() throws Refused {
            if (leaveUnread()) {
                throw new Refused(408, "the body did not arrive within " + patience.toMillis() + " ms");
            }
        }
    }
}
