package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.Endpoint;
import dev.bodyguard.proxy.engine.Outcome;
import dev.bodyguard.proxy.engine.Refusal;
import dev.bodyguard.proxy.engine.RetryBudget;
import dev.bodyguard.proxy.engine.Transport;
import dev.bodyguard.proxy.wire.Exchange;
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
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A routed request on its way upstream: deadline ▶ retry ▶ balance ▶ wire. Bytes flow as they come; what was sent is
/// kept for another attempt only while it is little and no answer was begun.
///
/// Clocks start when the request is complete, so that a slow upload is not the upstream's fault. Owned by one loop.
final class Forwarding {
    /// What is particular to one side of a sidecar.
    interface Side {
        /// Stamps an attempt's head for whoever is about to get it.
        void stamp(Request head, Transport transport);

        /// What to say where no connection to an endpoint came to be.
        Refusal unreachable(String address, String reason, @Nullable String origin);
    }

    private final Call call;
    private final Exchange client;
    private final Loop loop;
    private final Facts facts;
    private final Way way;
    private final Way.Terms terms;
    private final Request template;
    private final Upstreams upstreams;
    private final Resolver resolver;
    private final Side side;

    private final List<Endpoint> tried = new ArrayList<>(2);
    private @Nullable Replay replay;
    private @Nullable Attempt current;
    private Loop.@Nullable Timer deadline;
    private Loop.@Nullable Timer backoff;
    private boolean complete;
    private boolean answering;
    private boolean over;
    private int attempts;

    Forwarding(Call call, Way way, Way.Terms terms, Upstreams upstreams, Resolver resolver, Side side) {
        this.call = call;
        this.client = call.client();
        this.loop = call.loop();
        this.facts = call.facts();
        this.way = way;
        this.terms = terms;
        this.template = call.request();
        this.upstreams = upstreams;
        this.resolver = resolver;
        this.side = side;
        this.complete = client.bodyless();
        this.replay = terms.retries().retriesAtAll() && !complete ? new Replay() : null;
    }

    void start() {
        var budget = budget();
        if (budget != null) {
            budget.requestStarted();
        }
        if (complete) {
            startDeadline();
        }
        attempt(false);
    }

    private @Nullable RetryBudget budget() {
        return way instanceof Way.Balanced balanced ? balanced.cluster().budget() : null;
    }

    // -- balance ▶ wire

    private void attempt(boolean retry) {
        switch (way) {
            case Way.Straight(var target, var name) -> {
                var attempt = new Attempt(null, name, retry);
                current = attempt;
                attempt.open(target);
            }
            case Way.Balanced balanced -> {
                var cluster = balanced.cluster();
                var endpoint =
                        cluster.pick(terms.retries().avoidTried() ? tried : List.of(), loop.random(), balanced.hash());
                if (endpoint == null) {
                    retryOver(retry);
                    refuse(new Refusal.NoHealthyEndpoint(cluster.name(), terms.origin()));
                    return;
                }
                tried.add(endpoint);
                var attempt = new Attempt(endpoint, endpoint.address(), retry);
                current = attempt;
                endpoint.requestStarted();
                var place = balanced.generation().place(cluster, endpoint);
                if (balanced.spoken() == null) {
                    // Otherwise this is our own app, of which we know more.
                    facts.destination = place.party();
                }
                var target = place.target();
                if (target != null) {
                    attempt.open(as(balanced.spoken(), target));
                } else {
                    resolve(attempt, balanced, endpoint);
                }
            }
        }
    }

    private void resolve(Attempt attempt, Way.Balanced balanced, Endpoint endpoint) {
        resolver.resolve(
                endpoint.host(),
                answer -> loop.execute(() -> {
                    if (current != attempt) {
                        return;
                    }
                    switch (answer) {
                        case Resolver.Answer.Found(var address) ->
                            attempt.open(as(
                                    balanced.spoken(),
                                    new Target(
                                            new InetSocketAddress(address, endpoint.port()),
                                            endpoint.transport(),
                                            balanced.cluster().connectTimeout())));
                        case Resolver.Answer.Missing(var sentence) ->
                            attempt.onFailure(new Failure.ConnectFailed(sentence));
                    }
                }));
    }

    private static Target as(@Nullable Transport spoken, Target target) {
        return spoken == null || spoken.equals(target.transport())
                ? target
                : new Target(target.address(), spoken, target.connectTimeout());
    }

    // -- the request

    void requestData(ByteBuf chunk, boolean last) {
        if (replay != null && !replay.keep(chunk, last)) {
            forgetReplay();
        }
        var stream = current == null ? null : current.stream;
        if (stream != null) {
            stream.data(chunk, last);
            if (!last && !stream.isWritable()) {
                client.pause();
            }
        } else {
            // Between two attempts: the replay has it, and the client is paused.
            chunk.release();
        }
        if (last) {
            requestComplete();
        }
    }

    void requestTrailers(Fields trailers) {
        if (replay != null) {
            replay.keep(trailers);
        }
        if (current != null && current.stream != null) {
            current.stream.trailers(trailers);
        }
        requestComplete();
    }

    private void requestComplete() {
        complete = true;
        startDeadline();
        if (current != null) {
            current.startClock();
        }
    }

    void clientWritable() {
        if (current != null && current.stream != null) {
            current.stream.resume();
        }
    }

    /// The client has gone: nobody may go on working for it.
    void abandon() {
        end(Reset.CANCELLED);
    }

    // -- deadline

    private void startDeadline() {
        if (deadline == null && terms.timeout().isPositive() && !over) {
            deadline = loop.after(terms.timeout(), this::timedOut);
        }
    }

    private void timedOut() {
        var refusal = new Refusal.TimedOut(terms.timeout(), terms.origin());
        if (answering) {
            breakOff(refusal.flag(), refusal.sentence(), Reset.TIMED_OUT);
        } else {
            refuse(refusal);
        }
    }

    // -- retry

    /// Whether the outcome of the current attempt leads to another one, which is then on its way.
    private boolean again(Outcome outcome) {
        var attempt = current;
        if (attempt == null) {
            return false;
        }
        retryOver(attempt.retry);
        attempt.retry = false;
        boolean replayable = client.bodyless() || replay != null;
        return switch (terms.retries().decide(outcome, attempts, replayable)) {
            case FINAL -> false;
            case ATTEMPTS_EXHAUSTED -> {
                facts.flag("URX");
                refusedRetry("attempts");
                yield false;
            }
            case NOT_REPLAYABLE -> {
                refusedRetry("body");
                yield false;
            }
            case RETRY -> {
                var budget = budget();
                if (budget != null && !budget.tryRetry()) {
                    facts.flag("UO");
                    refusedRetry("budget");
                    yield false;
                }
                retry(attempt);
                yield true;
            }
        };
    }

    private void retry(Attempt failed) {
        failed.cancel(Reset.CANCELLED);
        current = null;
        client.pause();
        call.ledger()
                .meters()
                .retries(facts.service, facts.serviceName, facts.serviceNamespace)
                .increment();
        backoff = loop.after(terms.retries().backoff(attempts, loop.random()), () -> {
            backoff = null;
            attempt(true);
        });
    }

    private void refusedRetry(String reason) {
        call.ledger().meters().retriesRefused(facts.service, reason).increment();
    }

    private void retryOver(boolean retry) {
        var budget = budget();
        if (retry && budget != null) {
            budget.retryEnded();
        }
    }

    // -- the end

    private void refuse(Refusal refusal) {
        end(Reset.CANCELLED);
        call.refuse(refusal);
    }

    /// The answer has begun, so all that is left is to let the client notice.
    private void breakOff(String flag, String sentence, Reset reason) {
        facts.flag(flag);
        facts.termination = sentence;
        facts.sentence = sentence;
        end(Reset.CANCELLED);
        client.reset(reason);
        call.over();
    }

    private void answered() {
        end(Reset.CANCELLED);
        call.over();
        client.resume();
    }

    private void end(Reset reason) {
        if (over) {
            return;
        }
        over = true;
        if (deadline != null) {
            deadline.cancel();
        }
        if (backoff != null) {
            backoff.cancel();
            // Its place in the budget was taken when it was decided.
            retryOver(true);
        }
        forgetReplay();
        if (current != null) {
            var last = current;
            current = null;
            retryOver(last.retry);
            last.cancel(reason);
        }
        var budget = budget();
        if (budget != null) {
            budget.requestEnded();
        }
    }

    private void forgetReplay() {
        if (replay != null) {
            replay.release();
            replay = null;
        }
    }

    /// One try. Whatever it still hears once it is not the current one is of no interest.
    private final class Attempt implements ResponseListener {
        private final @Nullable Endpoint endpoint;
        private final String address;
        private boolean retry;
        private @Nullable UpstreamStream stream;
        private Loop.@Nullable Timer clock;
        private boolean written;
        private boolean over;

        Attempt(@Nullable Endpoint endpoint, String address, boolean retry) {
            this.endpoint = endpoint;
            this.address = address;
            this.retry = retry;
        }

        void open(Target target) {
            attempts++;
            facts.attempts = attempts;
            facts.upstreamHost = address;
            var head = template.copy();
            side.stamp(head, target.transport());
            var opened = upstreams.open(loop, target, head, client.bodyless(), this);
            stream = opened;
            if (replay != null && attempts > 1) {
                replay.sendTo(opened);
            }
            if (complete) {
                startClock();
            } else if (opened.isWritable()) {
                client.resume();
            }
        }

        void startClock() {
            Duration most = terms.retries().perTryTimeout();
            if (clock == null && most.isPositive() && !answering && !over) {
                clock = loop.after(most, () -> {
                    if (current == this && !answering && !again(new Outcome.PerTryTimeout())) {
                        refuse(new Refusal.TryTimedOut(address, most, terms.origin()));
                    }
                });
            }
        }

        /// Nobody listens to it any more.
        void cancel(Reset reason) {
            if (over) {
                return;
            }
            ended();
            if (stream != null) {
                stream.cancel(reason);
            }
        }

        private void ended() {
            if (!over) {
                over = true;
                if (clock != null) {
                    clock.cancel();
                }
                if (endpoint != null) {
                    endpoint.requestEnded();
                }
            }
        }

        @Override
        public void onOpen(boolean reusedConnection) {
            written = true;
        }

        @Override
        public void onInterim(Response head) {
            if (current == this && !answering) {
                client.interim(head);
            }
        }

        @Override
        public void onHead(Response head, boolean last) {
            if (current != this) {
                return;
            }
            int grpc = grpcStatus(head.fields());
            if (last) {
                streamEnded();
            }
            if (again(new Outcome.Responded(head.status(), grpc))) {
                return;
            }
            answering = true;
            forgetReplay();
            if (clock != null) {
                clock.cancel();
            }
            facts.responded(System.nanoTime());
            facts.details = "via_upstream";
            facts.status = head.status();
            facts.grpcStatus = grpc;
            for (var changes : terms.response()) {
                Headers.change(head.fields(), changes);
            }
            client.head(head, last);
            if (last) {
                answered();
            } else if (!client.isWritable() && stream != null) {
                stream.pause();
            }
        }

        @Override
        public void onData(ByteBuf chunk, boolean last) {
            if (current != this) {
                chunk.release();
                return;
            }
            facts.responseBytes += chunk.readableBytes();
            if (last) {
                streamEnded();
            }
            client.data(chunk, last);
            if (last) {
                answered();
            } else if (!client.isWritable() && stream != null) {
                stream.pause();
            }
        }

        @Override
        public void onTrailers(Fields trailers) {
            if (current != this) {
                return;
            }
            int grpc = grpcStatus(trailers);
            if (grpc >= 0) {
                facts.grpcStatus = grpc;
            }
            streamEnded();
            client.trailers(trailers);
            answered();
        }

        /// The answer is all there; what the request still lacks nobody will read.
        private void streamEnded() {
            if (complete) {
                stream = null;
            }
        }

        @Override
        public void onFailure(Failure failure) {
            if (current != this) {
                return;
            }
            stream = null;
            facts.upstreamFailure = failure.reason();
            if (answering) {
                breakOff("UC", address + " broke off its answer: " + failure.reason(), Reset.INTERNAL);
                return;
            }
            var refusal = refusal(failure);
            if (failure instanceof Failure.Overflow || !again(outcome(failure))) {
                refuse(refusal);
            }
        }

        private Outcome outcome(Failure failure) {
            return switch (failure) {
                case Failure.ConnectFailed _, Failure.Overflow _ -> new Outcome.ConnectFailed();
                case Failure.Refused _ -> new Outcome.RefusedStream();
                case Failure.StreamReset _, Failure.Closed _, Failure.Malformed _ ->
                    new Outcome.ResetBeforeResponse(written);
            };
        }

        private Refusal refusal(Failure failure) {
            return switch (failure) {
                case Failure.ConnectFailed(var reason) -> side.unreachable(address, reason, terms.origin());
                case Failure.Overflow(var reason) ->
                    new Refusal.Overflow(facts.cluster == null ? address : facts.cluster, reason, terms.origin());
                case Failure.Refused _, Failure.StreamReset _, Failure.Closed _, Failure.Malformed _ ->
                    new Refusal.UpstreamReset(address, failure.reason(), terms.origin());
            };
        }

        @Override
        public void onWritable() {
            if (current == this && !complete) {
                client.resume();
            }
        }
    }

    private static int grpcStatus(Fields fields) {
        var text = fields.get("grpc-status");
        if (text == null || text.isEmpty() || text.length() > 3) {
            return -1;
        }
        int status = 0;
        for (int i = 0; i < text.length(); i++) {
            int digit = text.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            status = 10 * status + digit;
        }
        return status;
    }
}
