package dev.bodyguard.proxy.engine;

import dev.bodyguard.proxy.engine.Ejection.Cause;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// Counts an endpoint's failures in a row by its cluster's policy, as Envoy's outlier detection does.
record Watch(OutlierPolicy policy, Outliers outliers, Outliers.Member member, Ejection.Whom whom) {
    private static final int UNREACHABLE = 503;
    private static final int TOO_LATE = 504;

    /// An attempt has come to an end.
    void heard(Outcome outcome) {
        switch (outcome) {
            case Outcome.Responded responded -> answered(responded.http());
            case Outcome.ConnectFailed _, Outcome.RefusedStream _, Outcome.ResetBeforeResponse _ ->
                unanswered(UNREACHABLE);
            case Outcome.PerTryTimeout _ -> unanswered(TOO_LATE);
        }
    }

    /// There is a connection, over which an answer may come.
    void connected() {
        if (policy.split()) {
            clear(member.localErrors);
        }
    }

    /// There is a connection, and that is all that will be known.
    void carries() {
        if (policy.split()) {
            clear(member.localErrors);
        } else {
            answered(200);
        }
    }

    Ejection.@Nullable Ongoing ejection() {
        return outliers.ongoing(member);
    }

    boolean isEjected() {
        return member.isEjected();
    }

    private void unanswered(int like) {
        if (policy.split()) {
            count(member.localErrors, Cause.LOCAL_ERRORS, policy.localErrors());
        } else {
            answered(like);
        }
    }

    private void answered(int status) {
        if (status < 500 || status > 599) {
            clear(member.serverErrors);
            clear(member.gatewayErrors);
            return;
        }
        if (status >= 502 && status <= 504) {
            count(member.gatewayErrors, Cause.GATEWAY_ERRORS, policy.gatewayErrors());
        } else {
            clear(member.gatewayErrors);
        }
        count(member.serverErrors, Cause.SERVER_ERRORS, policy.serverErrors());
    }

    private void count(AtomicLong failures, Cause cause, OutlierPolicy.Trigger trigger) {
        long inARow = failures.incrementAndGet();
        // It may be more already: counts outlive the rule that they were counted by. One loop of those that see it
        // acts.
        if (trigger.inARow() > 0 && inARow >= trigger.inARow() && failures.compareAndSet(inARow, 0)) {
            outliers.tooMany(member, new Ejection(whom, cause, trigger.inARow(), Duration.ZERO, 0), policy, trigger);
        }
    }

    /// Writes only where there is something to forget: all loops share it.
    private static void clear(AtomicLong failures) {
        if (failures.get() != 0) {
            failures.set(0);
        }
    }
}
