package dev.bodyguard.xds.server;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/// Waits for what another thread does, with a name for what was missing.
final class Await {
    private static final long SECONDS = 30;

    private Await() {}

    static void until(String what, BooleanSupplier holds) throws InterruptedException {
        var until = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        while (!holds.getAsBoolean()) {
            if (System.nanoTime() > until) {
                throw new AssertionError("not within " + SECONDS + " s: " + what);
            }
            Thread.sleep(5);
        }
    }

    static <T> T next(String what, LinkedBlockingQueue<T> from) throws InterruptedException {
        var taken = from.poll(SECONDS, TimeUnit.SECONDS);
        if (taken == null) {
            throw new AssertionError("not within " + SECONDS + " s: " + what);
        }
        return taken;
    }
}
