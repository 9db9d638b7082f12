package dev.bodyguard.proxy.engine;

import java.util.concurrent.atomic.AtomicLong;

/// Tokens that refill evenly, shared by all event loops without a lock. Instead of tokens it holds the moment at which
/// it will be full again: each token taken moves that by the time that one takes to come back.
final class Bucket {
    private static final long UNTOUCHED = Long.MIN_VALUE;

    private final Rate rate;
    private final AtomicLong fullAt = new AtomicLong(UNTOUCHED);

    Bucket(Rate rate) {
        this.rate = rate;
    }

    /// How many tokens there are, and how fast they come back.
    ///
    /// @param most held at once
    /// @param perFill tokens in each `fill`
    /// @param fill in nanoseconds
    record Rate(long most, long perFill, long fill) {
        /// Nanoseconds for one token.
        long each() {
            return Math.max(1, fill / perFill);
        }

        /// Nanoseconds from empty to full.
        long depth() {
            return Math.multiplyExact(most, each());
        }
    }

    Rate rate() {
        return rate;
    }

    /// Takes a token: nanoseconds until the bucket is full again; or, negative, those until there is a token again,
    /// and then nothing is taken.
    ///
    /// @param now any clock's nanoseconds
    long take(long now) {
        while (true) {
            long seen = fullAt.get();
            long from = seen == UNTOUCHED || seen - now < 0 ? now : seen;
            long next = from + rate.each();
            long lacking = next - now;
            if (lacking > rate.depth()) {
                return rate.depth() - lacking;
            }
            if (fullAt.compareAndSet(seen, next)) {
                return lacking;
            }
        }
    }

    /// Nanoseconds until the bucket is full again.
    long lacking(long now) {
        long seen = fullAt.get();
        return seen == UNTOUCHED || seen - now < 0 ? 0 : seen - now;
    }

    /// Puts a token back.
    void giveBack() {
        fullAt.addAndGet(-rate.each());
    }

    /// Whether it is as good as a new one.
    boolean isFull(long now) {
        long seen = fullAt.get();
        return seen == UNTOUCHED || seen - now <= 0;
    }
}
