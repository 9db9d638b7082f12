package dev.bodyguard.proxy.engine;

import java.time.Duration;
import java.util.Collection;
import java.util.EnumSet;
import java.util.Set;
import java.util.random.RandomGenerator;

/// When and how often a request is tried again. Immutable; asked once per failed attempt.
public final class RetryPolicy {
    /// Never tries again.
    public static final RetryPolicy NONE =
            new RetryPolicy(Set.of(), Set.of(), 0, Duration.ZERO, Duration.ofMillis(25), Duration.ofMillis(250), false);

    private final EnumSet<RetryOn> on;
    private final Set<Integer> statuses;
    private final int retries;
    private final Duration perTryTimeout;
    private final Duration base;
    private final Duration most;
    private final boolean avoidTried;

    /// A policy.
    ///
    /// @param statuses for `retriable-status-codes`
    /// @param retries attempts after the first
    /// @param perTryTimeout zero for none
    /// @param base the longest first pause
    /// @param most the longest pause at all
    /// @param avoidTried whether a retry prefers an endpoint that was not tried yet
    public RetryPolicy(
            Collection<RetryOn> on,
            Set<Integer> statuses,
            int retries,
            Duration perTryTimeout,
            Duration base,
            Duration most,
            boolean avoidTried) {
        this.on = EnumSet.noneOf(RetryOn.class);
        this.on.addAll(on);
        this.statuses = Set.copyOf(statuses);
        this.retries = retries;
        this.perTryTimeout = perTryTimeout;
        this.base = base;
        this.most = most;
        this.avoidTried = avoidTried;
        if (retries < 0) {
            throw new IllegalArgumentException("retries must be 0 or more, was " + retries);
        }
        if (base.toMillis() < 1 || most.compareTo(base) < 0) {
            throw new IllegalArgumentException(
                    "back-off must begin with 1 ms or more and not end below that, was " + base + " to " + most);
        }
    }

    public Set<RetryOn> on() {
        return Set.copyOf(on);
    }

    /// For `retriable-status-codes`.
    public Set<Integer> statuses() {
        return statuses;
    }

    /// Attempts after the first.
    public int retries() {
        return retries;
    }

    /// Zero for none.
    public Duration perTryTimeout() {
        return perTryTimeout;
    }

    /// Whether a retry prefers an endpoint that was not tried yet.
    public boolean avoidTried() {
        return avoidTried;
    }

    /// Whether a body is worth keeping for a second attempt.
    public boolean retriesAtAll() {
        return retries > 0 && !on.isEmpty();
    }

    /// What an attempt's outcome leads to.
    ///
    /// @param attempts made so far, this one included
    /// @param replayable whether the request can be sent again in full
    public RetryDecision decide(Outcome outcome, int attempts, boolean replayable) {
        if (!applies(outcome)) {
            return RetryDecision.FINAL;
        }
        if (attempts > retries) {
            return retries == 0 ? RetryDecision.FINAL : RetryDecision.ATTEMPTS_EXHAUSTED;
        }
        return replayable ? RetryDecision.RETRY : RetryDecision.NOT_REPLAYABLE;
    }

    private boolean applies(Outcome outcome) {
        // As Envoy's router filter documents x-envoy-retry-on: 5xx includes every way of having no response at all.
        return switch (outcome) {
            case Outcome.Responded(int status, int grpc) -> applies(status, grpc);
            case Outcome.ConnectFailed _ ->
                has(RetryOn.SERVER_ERROR)
                        || has(RetryOn.GATEWAY_ERROR)
                        || has(RetryOn.CONNECT_FAILURE)
                        || has(RetryOn.RESET)
                        || has(RetryOn.RESET_BEFORE_REQUEST);
            case Outcome.RefusedStream _ ->
                has(RetryOn.SERVER_ERROR)
                        || has(RetryOn.GATEWAY_ERROR)
                        || has(RetryOn.REFUSED_STREAM)
                        || has(RetryOn.RESET);
            case Outcome.ResetBeforeResponse(boolean mayHaveBeenProcessed) ->
                has(RetryOn.SERVER_ERROR)
                        || has(RetryOn.GATEWAY_ERROR)
                        || has(RetryOn.RESET)
                        || (!mayHaveBeenProcessed && has(RetryOn.RESET_BEFORE_REQUEST));
            case Outcome.PerTryTimeout _ ->
                has(RetryOn.SERVER_ERROR) || has(RetryOn.GATEWAY_ERROR) || has(RetryOn.RESET);
        };
    }

    private boolean applies(int status, int grpc) {
        if (status >= 500 && status <= 599 && has(RetryOn.SERVER_ERROR)) {
            return true;
        }
        if (status >= 502 && status <= 504 && has(RetryOn.GATEWAY_ERROR)) {
            return true;
        }
        if (status == 409 && has(RetryOn.RETRIABLE_4XX)) {
            return true;
        }
        if (has(RetryOn.RETRIABLE_STATUS_CODES) && statuses.contains(status)) {
            return true;
        }
        return switch (grpc) {
            case 1 -> has(RetryOn.GRPC_CANCELLED);
            case 4 -> has(RetryOn.GRPC_DEADLINE_EXCEEDED);
            case 8 -> has(RetryOn.GRPC_RESOURCE_EXHAUSTED);
            case 13 -> has(RetryOn.GRPC_INTERNAL);
            case 14 -> has(RetryOn.GRPC_UNAVAILABLE);
            default -> false;
        };
    }

    private boolean has(RetryOn word) {
        return on.contains(word);
    }

    /// The pause before a retry: full jitter over an exponentially growing bound.
    ///
    /// @param retry 1 for the first
    public Duration backoff(int retry, RandomGenerator random) {
        long bound = base.toMillis();
        for (int i = 1; i < retry && bound < most.toMillis(); i++) {
            bound *= 2;
        }
        return Duration.ofMillis(random.nextLong(Math.min(bound, most.toMillis())));
    }

    @Override
    public String toString() {
        return retries + " x " + on;
    }
}
