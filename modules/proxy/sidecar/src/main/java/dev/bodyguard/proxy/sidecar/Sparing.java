package dev.bodyguard.proxy.sidecar;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// Says the first few things of a kind whole and then only how many more there were, each interval: what
/// happens again and again shall not fill a disk. From any thread, without a lock.
final class Sparing {
    static final int WHOLE = 10;
    static final Duration INTERVAL = Duration.ofSeconds(10);

    /// Does something after a while, on a thread that may be anybody's.
    interface Later {
        void after(Duration delay, Runnable task);
    }

    private final Later later;
    private final Consumer<String> said;
    private final String counter;
    private final Map<String, AtomicInteger> counts = new ConcurrentHashMap<>();

    /// @param said takes what is said
    /// @param counter the metric that counts all
    Sparing(Later later, Consumer<String> said, String counter) {
        this.counter = counter;
        this.later = later;
        this.said = said;
    }

    /// @param kind one of few, for each of which there is a count
    void say(String kind, Supplier<String> sentence) {
        if (admits(kind)) {
            said.accept(sentence.get());
        }
    }

    /// Counts one, and says whether it is among the first few, which are told whole, be it elsewhere.
    boolean admits(String kind) {
        var count = counts.computeIfAbsent(kind, _ -> new AtomicInteger());
        int number = count.incrementAndGet();
        if (number == 1) {
            later.after(INTERVAL, () -> sum(kind, count.getAndSet(0)));
        }
        return number <= WHOLE;
    }

    private void sum(String kind, int number) {
        if (number > WHOLE) {
            said.accept(kind + ": " + (number - WHOLE) + " more in " + INTERVAL.toSeconds()
                    + " s, of which nothing else is said; " + counter + " counts all");
        }
    }
}
