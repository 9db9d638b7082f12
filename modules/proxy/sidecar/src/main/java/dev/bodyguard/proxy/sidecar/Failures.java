package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.Outcome;
import dev.bodyguard.proxy.engine.Refusal;
import dev.bodyguard.proxy.wire.Failure;
import org.jspecify.annotations.Nullable;

/// What the wire says of a broken attempt, in the words of the retry rule and of the answer to the client.
final class Failures {
    private Failures() {}

    /// Whether it says anything of the endpoint, rather than of a limit of ours, or of what was asked for.
    static boolean isTheEndpoints(Failure failure) {
        return switch (failure) {
            case Failure.Overflow _, Failure.NoUpgrades _, Failure.TooLarge _ -> false;
            case Failure.ConnectFailed _,
                    Failure.NotHttp2 _,
                    Failure.Refused _,
                    Failure.StreamReset _,
                    Failure.Closed _,
                    Failure.Malformed _ -> true;
        };
    }

    /// @param written whether anything of the request may have reached the upstream
    static Outcome outcome(Failure failure, boolean written) {
        return switch (failure) {
            case Failure.ConnectFailed _,
                    Failure.NotHttp2 _,
                    Failure.NoUpgrades _,
                    Failure.Overflow _,
                    Failure.TooLarge _ -> new Outcome.ConnectFailed();
            case Failure.Refused _ -> new Outcome.RefusedStream();
            case Failure.StreamReset _, Failure.Closed _, Failure.Malformed _ ->
                new Outcome.ResetBeforeResponse(written);
        };
    }

    /// Whether it is the same wherever it is tried.
    static boolean isFinal(Failure failure) {
        return failure instanceof Failure.Overflow || failure instanceof Failure.TooLarge;
    }

    /// Who failed.
    ///
    /// @param way the name of where the request was to go
    /// @param workload empty where it is not known
    /// @param origin what the rule is due to
    record Place(
            String way,
            String workload,
            String address,
            @Nullable String origin) {}

    static Refusal refusal(Failure failure, Place at, Forwarding.Side side) {
        return switch (failure) {
            case Failure.ConnectFailed(var reason) -> side.unreachable(at.address, reason, at.origin);
            case Failure.NotHttp2(var reason, var answered) -> side.notHttp2(at.address, reason, answered, at.origin);
            case Failure.NoUpgrades(var reason) -> new Refusal.NoUpgrades(at.address, reason, at.origin);
            case Failure.Overflow(var reason) -> new Refusal.Overflow(at.way, reason, at.origin);
            case Failure.TooLarge(var reason) -> new Refusal.HeadTooLarge(reason, at.origin);
            case Failure.Refused(var reason) -> new Refusal.TurnedAway(at.workload, at.address, reason, at.origin);
            case Failure.Malformed(var reason, var _) -> new Refusal.BrokenAnswer(at.address, reason, at.origin);
            case Failure.StreamReset _, Failure.Closed _ ->
                new Refusal.UpstreamReset(at.address, failure.reason(), at.origin);
        };
    }
}
