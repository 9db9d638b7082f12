package dev.bodyguard.cli;

import dev.bodyguard.identity.client.Events;
import dev.bodyguard.identity.spiffe.Svid;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/// Keeps the newest SVID in a folder. What cannot be written is tried again until it is, or there is a newer one: the
/// next renewal may come after the certificate in the folder has expired.
///
/// Only the first one is not tried again, for somebody waits for it. A thread of its own writes, so that a disk which
/// hangs does not hold up the renewal.
final class Upkeep implements Events, AutoCloseable {
    static final Duration PAUSE = Duration.ofSeconds(2);

    private final SvidFolder folder;
    private final Duration pause;
    private final BiConsumer<Level, String> log;
    /// Filled by the renewal's thread only, which takes out what is there already.
    private final BlockingQueue<Svid> newest = new ArrayBlockingQueue<>(1);
    private final CompletableFuture<Svid> first = new CompletableFuture<>();
    private final Thread thread = Thread.ofPlatform().daemon().name("upkeep").unstarted(this::run);

    private Upkeep(SvidFolder folder, Duration pause, BiConsumer<Level, String> log) {
        this.folder = folder;
        this.pause = pause;
        this.log = log;
    }

    /// Begins, with nothing to write yet.
    ///
    /// @param pause between two tries
    /// @param log what people are told: a line when trouble begins, and one when it is over
    static Upkeep start(SvidFolder folder, Duration pause, BiConsumer<Level, String> log) {
        var upkeep = new Upkeep(folder, pause, log);
        upkeep.thread.start();
        return upkeep;
    }

    /// The first SVID once it is in the folder, or why it is not.
    CompletableFuture<Svid> first() {
        return first;
    }

    @Override
    public void rotated(Svid svid) {
        newest.clear();
        newest.add(svid);
    }

    @Override
    public void close() {
        thread.interrupt();
    }

    private void run() {
        try {
            var stands = newest.take();
            try {
                folder.write(stands);
            } catch (IOException unwritable) {
                first.completeExceptionally(
                        new IOException("cannot write to " + folder.path() + ": " + unwritable, unwritable));
                return;
            }
            first.complete(stands);
            while (true) {
                stands = written(newest.take(), stands);
            }
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
    }

    /// Writes the SVID, or the newest one that comes while it cannot be written.
    ///
    /// @param old what stands in the folder meanwhile
    private Svid written(Svid svid, Svid old) throws InterruptedException {
        var failed = false;
        while (true) {
            try {
                folder.write(svid);
                if (failed) {
                    log.accept(
                            Level.INFO,
                            "the new certificate of " + svid.id() + " is in " + folder.path() + " now, good until "
                                    + svid.expiresAt());
                }
                return svid;
            } catch (IOException unwritable) {
                if (!failed) {
                    failed = true;
                    log.accept(
                            Level.ERROR,
                            "the new certificate of " + svid.id() + " cannot be written to " + folder.path() + ": "
                                    + unwritable + "; the one written before is good until " + old.expiresAt()
                                    + "; it is tried again every " + pause.toMillis() + " ms until it succeeds");
                }
                var newer = newest.poll(pause.toMillis(), TimeUnit.MILLISECONDS);
                svid = newer == null ? svid : newer;
            }
        }
    }
}
