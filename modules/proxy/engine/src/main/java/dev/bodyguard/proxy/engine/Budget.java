package dev.bodyguard.proxy.engine;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// The time that one request has: what its caller leaves it ([GrpcTimeout], [ExpectedTimeout]) and what its route gives
/// it. The shortest counts, so that a header can only ever shorten; it is one for all attempts, and each hop is told
/// what remains.
///
/// A call of gRPC has its time from its head on, streams included, as gRPC means deadlines. Any other request has it
/// from its end on, so that a slow upload is not the upstream's fault. What is expected counts from the request's end
/// in
/// either case, and until the answer begins: Envoy tells the time of one try in that header too, after which an answer
/// that has begun may go on.
///
/// Times are of `System.nanoTime`. Owned by one loop.
public final class Budget {
    /// Nanoseconds left where nobody sets a bound.
    public static final long UNBOUNDED = Long.MAX_VALUE;

    private static final long MILLISECOND = 1_000_000;

    private final boolean grpc;
    private final long asked;
    private final long expected;
    private final Duration timeout;
    private final long route;
    private final long arrived;
    private boolean running;
    private long since;
    private boolean complete;
    private long completeSince;

    private Budget(boolean grpc, long asked, long expected, Duration timeout, long arrived) {
        this.grpc = grpc;
        this.asked = asked;
        // Whole milliseconds of what grpc-timeout says more exactly are no bound of their own.
        this.expected = asked - MILLISECOND <= expected ? UNBOUNDED : expected;
        this.timeout = timeout;
        this.route = timeout.isPositive() ? saturated(timeout) : UNBOUNDED;
        this.arrived = arrived;
    }

    private static long saturated(Duration time) {
        return time.toSeconds() < UNBOUNDED / 1_000_000_000 ? time.toNanos() : UNBOUNDED;
    }

    /// What a request has.
    ///
    /// @param grpc whether it is a call of gRPC; of others `grpc-timeout` says nothing
    /// @param timeout the route's, zero for none
    /// @param arrived when its head came
    public static Budget of(RequestHead request, boolean grpc, Duration timeout, long arrived) {
        return new Budget(
                grpc,
                grpc ? GrpcTimeout.nanos(request.header(GrpcTimeout.NAME)) : UNBOUNDED,
                ExpectedTimeout.nanos(request.header(ExpectedTimeout.NAME)),
                timeout,
                arrived);
    }

    /// Whether it is told in gRPC's own header.
    public boolean isGrpc() {
        return grpc;
    }

    /// The request is on its way upstream.
    ///
    /// @param whole whether it came with all of its body
    public void begins(long now, boolean whole) {
        if (grpc || whole) {
            run(now);
        }
        if (whole) {
            completed(arrived);
        }
    }

    /// The request is complete.
    public void complete(long now) {
        run(now);
        completed(now);
    }

    private void run(long now) {
        if (!running) {
            running = true;
            since = now;
        }
    }

    private void completed(long at) {
        if (!complete) {
            complete = true;
            completeSince = at;
        }
    }

    /// Nanoseconds until it is to be looked whether the time is over, [#UNBOUNDED] where that need not be.
    ///
    /// @param begun whether the answer has begun
    public long check(long now, boolean begun) {
        if (!running) {
            return UNBOUNDED;
        }
        return begun || !complete ? left(now) : leftToBegin(now);
    }

    /// Whether the answer has to begin before the time for all of it is over.
    public boolean isForBeginning() {
        return expected != UNBOUNDED;
    }

    /// Nanoseconds left for the whole exchange, 0 where they are over, [#UNBOUNDED] where nobody sets a bound.
    public long left(long now) {
        return Math.min(leftOf(asked, arrived, true, now), leftOf(route, since, running, now));
    }

    /// Nanoseconds left until the answer has to begin; not more than [#left].
    public long leftToBegin(long now) {
        return Math.min(left(now), leftOf(expected, completeSince, complete, now));
    }

    /// Whether what the caller has left ends before what the route gives.
    public boolean isCallers(long now) {
        return Math.min(leftOf(asked, arrived, true, now), leftOf(expected, completeSince, complete, now))
                < leftOf(route, since, running, now);
    }

    private static long leftOf(long bound, long since, boolean running, long now) {
        return bound == UNBOUNDED || !running ? bound : Math.max(0, bound - (now - since));
    }

    /// What to say now that the time is over.
    ///
    /// @param begun whether the answer has begun
    public Refusal spent(long now, boolean begun, @Nullable String origin) {
        long byCaller = leftOf(asked, arrived, true, now);
        long byRoute = leftOf(route, since, running, now);
        long byBeginning = begun ? UNBOUNDED : leftOf(expected, completeSince, complete, now);
        if (byRoute <= byCaller && byRoute <= byBeginning) {
            return new Refusal.TimedOut(timeout, origin);
        }
        return byCaller <= byBeginning
                ? new Refusal.OutOfTime(Duration.ofNanos(asked), GrpcTimeout.NAME)
                : new Refusal.OutOfTime(Duration.ofNanos(expected), ExpectedTimeout.NAME);
    }
}
