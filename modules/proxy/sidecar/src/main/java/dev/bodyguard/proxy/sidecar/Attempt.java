package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.Endpoint;
import dev.bodyguard.proxy.engine.Outcome;
import dev.bodyguard.proxy.wire.Failure;
import dev.bodyguard.proxy.wire.Fields;
import dev.bodyguard.proxy.wire.Loop;
import dev.bodyguard.proxy.wire.Request;
import dev.bodyguard.proxy.wire.Reset;
import dev.bodyguard.proxy.wire.Response;
import dev.bodyguard.proxy.wire.ResponseListener;
import dev.bodyguard.proxy.wire.Target;
import dev.bodyguard.proxy.wire.UpstreamStream;
import dev.bodyguard.proxy.wire.Upstreams;
import io.netty.buffer.ByteBuf;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// One try: a stream to one upstream, its clock, and its part of the endpoint's load. Its owner hears of it until it is
/// cancelled, and nothing after. Owned by one loop.
final class Attempt implements ResponseListener {
    /// Whoever decides what becomes of a try.
    interface Owner {
        void interim(Response head);

        void head(Response head, boolean last);

        void data(ByteBuf chunk, boolean last);

        void trailers(Fields trailers);

        /// There is no (further) answer.
        ///
        /// @param written whether anything of the request may have reached the upstream
        void failed(Failure failure, boolean written);

        /// There was no answer within the time per try.
        void timedOut(Duration time);

        /// The request has room again.
        void writable();
    }

    private final Owner owner;
    private final @Nullable Endpoint endpoint;
    private final String address;
    private boolean retry;
    private @Nullable UpstreamStream stream;
    private Loop.@Nullable Timer clock;
    private boolean written;
    private boolean over;

    /// @param endpoint whose load it is, null where nobody counts
    /// @param retry whether it takes a place in the retry budget
    Attempt(Owner owner, @Nullable Endpoint endpoint, String address, boolean retry) {
        this.owner = owner;
        this.endpoint = endpoint;
        this.address = address;
        this.retry = retry;
        if (endpoint != null) {
            endpoint.requestStarted();
        }
    }

    String address() {
        return address;
    }

    boolean isOver() {
        return over;
    }

    /// Whether it took a place in the retry budget that was not given back yet; it is with this call.
    boolean giveBackRetry() {
        boolean held = retry;
        retry = false;
        return held;
    }

    UpstreamStream open(Upstreams upstreams, Loop loop, Target target, Request head, boolean bodyless) {
        var opened = upstreams.open(loop, target, head, bodyless, this);
        stream = opened;
        return opened;
    }

    /// Null before it is open and after it has failed.
    @Nullable
    UpstreamStream stream() {
        return stream;
    }

    /// Counts the time per try from now on; zero for none.
    void startClock(Loop loop, Duration time) {
        if (clock == null && time.isPositive() && !over) {
            clock = loop.after(time, () -> {
                if (!over) {
                    heard(new Outcome.PerTryTimeout());
                    owner.timedOut(time);
                }
            });
        }
    }

    void stopClock() {
        if (clock != null) {
            clock.cancel();
        }
    }

    /// How the endpoint has done, for whoever counts that.
    void heard(Outcome outcome) {
        if (endpoint != null) {
            endpoint.heard(outcome);
        }
    }

    /// The answer is all there, and so was the request: there is nothing left to cancel.
    void streamEnded() {
        stream = null;
    }

    /// Nobody listens to it any more.
    void cancel(Reset reason) {
        if (over) {
            return;
        }
        over = true;
        stopClock();
        if (endpoint != null) {
            endpoint.requestEnded();
        }
        if (stream != null) {
            stream.cancel(reason);
        }
    }

    @Override
    public void onOpen(boolean reusedConnection) {
        written = true;
        if (endpoint != null && !over) {
            endpoint.connected();
        }
    }

    @Override
    public void onInterim(Response head) {
        if (!over) {
            owner.interim(head);
        }
    }

    @Override
    public void onHead(Response head, boolean last) {
        if (!over) {
            owner.head(head, last);
        }
    }

    @Override
    public void onData(ByteBuf chunk, boolean last) {
        if (over) {
            chunk.release();
        } else {
            owner.data(chunk, last);
        }
    }

    @Override
    public void onTrailers(Fields trailers) {
        if (!over) {
            owner.trailers(trailers);
        }
    }

    @Override
    public void onFailure(Failure failure) {
        if (!over) {
            stream = null;
            if (Failures.isTheEndpoints(failure)) {
                heard(Failures.outcome(failure, written));
            }
            owner.failed(failure, written);
        }
    }

    @Override
    public void onWritable() {
        if (!over) {
            owner.writable();
        }
    }
}
