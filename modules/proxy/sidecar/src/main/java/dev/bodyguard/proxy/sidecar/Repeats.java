package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.Outcome;
import dev.bodyguard.proxy.engine.RetryBudget;
import dev.bodyguard.proxy.engine.RetryPolicy;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// Whether one request may be tried again: as its rule says, and as far as the destination's budget goes. Every place
/// taken in the budget is given back. Owned by one loop.
final class Repeats {
    private final Call call;
    private final RetryPolicy policy;
    private final @Nullable RetryBudget budget;

    /// @param budget null where nobody limits retries
    Repeats(Call call, RetryPolicy policy, @Nullable RetryBudget budget) {
        this.call = call;
        this.policy = policy;
        this.budget = budget;
    }

    void requestStarted() {
        if (budget != null) {
            budget.requestStarted();
        }
    }

    void requestEnded() {
        if (budget != null) {
            budget.requestEnded();
        }
    }

    /// A retry has come to its end.
    void retryEnded() {
        if (budget != null) {
            budget.retryEnded();
        }
    }

    /// Whether there shall be another attempt; its place in the budget is then taken.
    ///
    /// @param replayable whether the request could be sent again
    boolean allows(Outcome outcome, int attempts, boolean replayable) {
        return switch (policy.decide(outcome, attempts, replayable)) {
            case FINAL -> false;
            case ATTEMPTS_EXHAUSTED -> {
                call.facts().flag("URX");
                yield refused("attempts");
            }
            case NOT_REPLAYABLE -> refused("body");
            case RETRY -> {
                if (budget != null && !budget.tryRetry()) {
                    call.facts().flag("UO");
                    yield refused("budget");
                }
                var facts = call.facts();
                call.ledger()
                        .meters()
                        .retries(facts.service, facts.serviceName, facts.serviceNamespace)
                        .increment();
                yield true;
            }
        };
    }

    private boolean refused(String reason) {
        call.ledger().meters().retriesRefused(call.facts().service, reason).increment();
        return false;
    }

    /// How long to wait before the next one.
    Duration backoff(int attempts) {
        return policy.backoff(attempts, call.loop().random());
    }
}
