package dev.bodyguard.proxy.engine;

import java.util.concurrent.atomic.AtomicInteger;

/// How many requests to a cluster may be retries at one time: a share of its active requests, and never less than a
/// minimum. Limits are the plan's, counters the process's.
public final class RetryBudget {
    private final double percent;
    private final int minimum;
    private final Counters counters;

    RetryBudget(double percent, int minimum, Counters counters) {
        this.percent = percent;
        this.minimum = minimum;
        this.counters = counters;
    }

    /// A request to the cluster begins; every one ends with [#requestEnded()].
    public void requestStarted() {
        counters.active.incrementAndGet();
    }

    public void requestEnded() {
        counters.active.decrementAndGet();
    }

    /// Takes a place for a retry, given back with [#retryEnded()] once its outcome is known. False where the budget is
    /// spent (`UO`).
    public boolean tryRetry() {
        int retrying = counters.retrying.incrementAndGet();
        if (retrying <= limit()) {
            return true;
        }
        counters.retrying.decrementAndGet();
        return false;
    }

    public void retryEnded() {
        counters.retrying.decrementAndGet();
    }

    /// How many retries may be under way now.
    public int limit() {
        return Math.max(minimum, (int) (counters.active.get() * percent / 100));
    }

    /// Requests under way now.
    public int active() {
        return counters.active.get();
    }

    /// What survives a plan.
    static final class Counters {
        final AtomicInteger active = new AtomicInteger();
        final AtomicInteger retrying = new AtomicInteger();
    }
}
