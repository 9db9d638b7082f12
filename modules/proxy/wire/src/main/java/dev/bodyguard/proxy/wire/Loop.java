package dev.bodyguard.proxy.wire;

import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/// One thread, the connections it owns and what they share: randomness and timers.
public final class Loop implements Executor {
    /// Connections look at their own clocks this often; no timer per request.
    static final Duration SWEEP = Duration.ofMillis(500);

    private final EventLoop events;
    private final RandomGenerator random;
    private final ArrayList<Runnable> unflushed = new ArrayList<>();
    private final ArrayList<Runnable> flushing = new ArrayList<>();
    private final Swept swept = new Swept();
    private boolean flushPlanned;

    Loop(EventLoop events, RandomGenerator random) {
        this.events = events;
        this.random = random;
        var _ = events.scheduleWithFixedDelay(
                () -> swept.sweep(System.nanoTime()), SWEEP.toMillis(), SWEEP.toMillis(), TimeUnit.MILLISECONDS);
    }

    /// Runs `task` on this loop, soon; from any thread.
    @Override
    public void execute(Runnable task) {
        events.execute(task);
    }

    /// Whether the caller runs on this loop.
    public boolean isCurrent() {
        return events.inEventLoop();
    }

    /// Runs `task` on this loop after `delay`.
    public Timer after(Duration delay, Runnable task) {
        var future = events.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
        return () -> future.cancel(false);
    }

    /// To be used on this loop only.
    public RandomGenerator random() {
        return random;
    }

    /// Something that will happen unless cancelled.
    @FunctionalInterface
    public interface Timer {
        void cancel();
    }

    EventLoop events() {
        return events;
    }

    Swept swept() {
        return swept;
    }

    /// Flushes once, after everything that is ready on this loop was read. One call per connection and round is the
    /// connection's job: it remembers that it is waiting.
    void flushLater(Runnable flush) {
        unflushed.add(flush);
        if (!flushPlanned) {
            flushPlanned = true;
            events.execute(this::flushAll);
        }
    }

    private void flushAll() {
        flushPlanned = false;
        // A flush may write elsewhere, which plans the next round.
        flushing.addAll(unflushed);
        unflushed.clear();
        for (int i = 0; i < flushing.size(); i++) {
            flushing.get(i).run();
        }
        flushing.clear();
    }

    static RandomGenerator seeded() {
        return new java.util.SplittableRandom(ThreadLocalRandom.current().nextLong());
    }
}
