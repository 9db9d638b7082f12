package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.Budget;
import dev.bodyguard.proxy.engine.ExpectedTimeout;
import dev.bodyguard.proxy.engine.GrpcTimeout;
import dev.bodyguard.proxy.engine.Outcome;
import dev.bodyguard.proxy.engine.Refusal;
import dev.bodyguard.proxy.engine.RetryPolicy;
import dev.bodyguard.proxy.engine.Transport;
import dev.bodyguard.proxy.wire.Exchange;
import dev.bodyguard.proxy.wire.Failure;
import dev.bodyguard.proxy.wire.Fields;
import dev.bodyguard.proxy.wire.Loop;
import dev.bodyguard.proxy.wire.Request;
import dev.bodyguard.proxy.wire.Reset;
import dev.bodyguard.proxy.wire.Response;
import dev.bodyguard.proxy.wire.Target;
import dev.bodyguard.proxy.wire.Upstreams;
import io.netty.buffer.ByteBuf;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// A routed request on its way upstream: deadline ▶ retry ▶ balance ▶ wire. Bytes flow as they come; what was sent is
/// kept for another attempt only while it is little and no answer was begun.
///
/// How long it may take is the [Budget]'s to know; the time per try starts when the request is complete, so that a
/// slow upload is not the upstream's fault. One that asks for another protocol is tried once, and once it is granted
/// has no clock: what follows are bytes, and each side ends on its own. Owned by one loop.
final class Forwarding implements Attempt.Owner {
    private static final String OUT_OF_TIME = new Refusal.OutOfTime(Duration.ZERO, GrpcTimeout.NAME).flag();

    /// What is particular to one side of a sidecar.
    interface Side {
        /// Stamps an attempt's head for whoever is about to get it.
        void stamp(Request head, Transport transport);

        /// Takes off an answer's fields what whoever sent it has no right to say.
        void strip(Fields answer, Transport transport);

        /// What to say where no connection to an endpoint came to be.
        Refusal unreachable(String address, String reason, @Nullable String origin);

        /// What to say where one does not speak HTTP/2, as it was spoken to.
        ///
        /// @param answered whether it said anything at all
        Refusal notHttp2(String address, String reason, boolean answered, @Nullable String origin);

        /// Whoever was asked all of it is given up, and has not begun to answer.
        void unanswered();

        /// Tells the client that there is no answer but ours.
        void refuse(Call call, Refusal refusal);
    }

    private final Call call;
    private final Exchange client;
    private final Loop loop;
    private final Facts facts;
    private final Way way;
    private final Way.Terms terms;
    private final Budget budget;
    private final RetryPolicy retries;
    private final boolean upgrades;
    private final Request template;
    private final Upstreams upstreams;
    private final Picking picking;
    private final Answer answer;
    private final Repeats repeats;
    private final Side side;

    private @Nullable Replay replay;
    private @Nullable Attempt current;
    private Loop.@Nullable Timer deadline;
    private Loop.@Nullable Timer backoff;
    private Transport spoken = new Transport.Plaintext(false);
    private String workload = "";
    /// Whether the time that the upstream was told is the caller's own, which says nothing of an endpoint.
    private boolean callersTime;

    private boolean complete;
    private boolean over;
    /// What was asked for is granted: bytes flow both ways.
    private boolean switched;

    private boolean answerEnded;
    private int attempts;

    Forwarding(Call call, Way way, Way.Terms terms, Upstreams upstreams, Resolver resolver, Side side) {
        this.call = call;
        this.client = call.client();
        this.loop = call.loop();
        this.facts = call.facts();
        this.way = way;
        this.terms = terms;
        this.budget = terms.budget();
        this.template = call.request();
        this.upstreams = upstreams;
        this.upgrades = template.protocol() != null;
        this.retries = upgrades ? RetryPolicy.NONE : terms.retries();
        this.picking = new Picking(way, retries.avoidTried(), resolver, loop);
        this.answer = new Answer(client, facts, terms.response());
        this.side = side;
        this.repeats = new Repeats(call, retries, way.budget());
        this.complete = client.bodyless();
        this.replay =
                retries.retriesAtAll() && !complete ? new Replay(call.ledger().room()) : null;
    }

    void start() {
        repeats.requestStarted();
        budget.begins(System.nanoTime(), complete || upgrades);
        startDeadline();
        attempt(false);
    }

    // -- balance ▶ wire

    private void attempt(boolean retry) {
        // Nobody is asked what could not be answered in time.
        boolean late = budget.leftToBegin(System.nanoTime()) == 0;
        var pick = late ? null : picking.next();
        if (pick == null) {
            if (retry) {
                repeats.retryEnded();
            }
            if (late) {
                timedOut();
            } else {
                refuse(nobody());
            }
            return;
        }
        var attempt = new Attempt(this, pick.endpoint(), pick.address(), retry);
        current = attempt;
        attempts++;
        facts.attempts = attempts;
        facts.upstreamHost = pick.address();
        noteDestination(pick);
        picking.find(pick, dial -> {
            if (attempt.isOver()) {
                return;
            }
            switch (dial) {
                case Picking.Dial.To(var target) -> open(attempt, target);
                case Picking.Dial.Impossible(var sentence) -> attempt.onFailure(new Failure.ConnectFailed(sentence));
            }
        });
    }

    private Refusal nobody() {
        return switch (way) {
            case Way.Balanced(var cluster, var _, var _, var _) ->
                new Refusal.NoHealthyEndpoint(cluster, terms.origin());
            case Way.Straight(var _, var address) -> new Refusal.NoHealthyEndpoint(address, 0, 0, 0, terms.origin());
        };
    }

    private void noteDestination(Picking.Pick pick) {
        // Where it is told how to speak, this is our own app, of which we know more.
        if (way instanceof Way.Balanced balanced && balanced.spoken() == null && pick.endpoint() != null) {
            workload = pick.endpoint().workload().name();
            facts.destination = picking.party(pick.endpoint());
        }
    }

    private void open(Attempt attempt, Target target) {
        spoken = target.transport();
        var head = template.copy();
        side.stamp(head, spoken);
        tellTime(head.fields());
        var stream = attempt.open(upstreams, loop, target, head, client.bodyless());
        if (replay != null && attempts > 1) {
            replay.sendTo(stream);
        }
        if (complete) {
            startClock(attempt);
        } else if (stream.isWritable()) {
            client.resume();
        }
    }

    /// What remains, as whoever asked would say it.
    private void tellTime(Fields head) {
        long now = System.nanoTime();
        long left = budget.left(now);
        if (budget.isGrpc() && left != Budget.UNBOUNDED) {
            head.set(GrpcTimeout.NAME, GrpcTimeout.text(left));
        }
        var perTry = retries.perTryTimeout();
        long begin = budget.leftToBegin(now);
        long expected = Math.min(begin, perTry.isPositive() ? perTry.toNanos() : Budget.UNBOUNDED);
        callersTime = expected == begin && budget.isCallers(now);
        if (expected != Budget.UNBOUNDED) {
            head.set(ExpectedTimeout.NAME, ExpectedTimeout.text(expected));
        }
    }

    // -- the request

    void requestData(ByteBuf chunk, boolean last) {
        if (replay != null && !replay.keep(chunk, last)) {
            forgetReplay();
        }
        var stream = current == null ? null : current.stream();
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
        var stream = current == null ? null : current.stream();
        if (stream != null) {
            stream.trailers(trailers);
        }
        requestComplete();
    }

    private void requestComplete() {
        complete = true;
        if (switched) {
            if (answerEnded) {
                finish();
            }
            return;
        }
        budget.complete(System.nanoTime());
        if (deadline == null || budget.isForBeginning()) {
            startDeadline();
        }
        if (current != null) {
            startClock(current);
        }
    }

    @Override
    public void writable() {
        if (!complete) {
            client.resume();
        }
    }

    void clientWritable() {
        var stream = current == null ? null : current.stream();
        if (stream != null) {
            stream.resume();
        }
    }

    /// The client has gone: nobody may go on working for it.
    void abandon() {
        givenUp();
        end(Reset.CANCELLED);
    }

    /// Whether there is anything of an answer.
    boolean isAnswered() {
        return answer.isBegun();
    }

    private void givenUp() {
        var stream = current == null ? null : current.stream();
        if (complete && stream != null && !answer.isBegun()) {
            side.unanswered();
        }
    }

    // -- deadline

    private void startDeadline() {
        if (deadline != null) {
            deadline.cancel();
            deadline = null;
        }
        long left = budget.check(System.nanoTime(), answer.isBegun());
        if (left != Budget.UNBOUNDED && !over) {
            deadline = loop.after(Duration.ofNanos(left), this::timedOut);
        }
    }

    /// What was only the beginning's time is over with it.
    private void begun() {
        if (deadline != null && budget.isForBeginning() && !switched) {
            startDeadline();
        }
    }

    private void timedOut() {
        givenUp();
        var refusal = budget.spent(System.nanoTime(), answer.isBegun(), terms.origin());
        if (answer.isBegun()) {
            breakOff(refusal);
            return;
        }
        if (current != null && refusal instanceof Refusal.TimedOut) {
            // A caller in haste says nothing of an endpoint.
            current.heard(new Outcome.PerTryTimeout());
        }
        refuse(refusal);
    }

    private void startClock(Attempt attempt) {
        if (!answer.isBegun()) {
            attempt.startClock(loop, retries.perTryTimeout());
        }
    }

    @Override
    public void timedOut(Duration time) {
        var refusal = new Refusal.TryTimedOut(address(), time, terms.origin());
        if (!answer.isBegun() && !again(new Outcome.PerTryTimeout())) {
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
        retryOver(attempt);
        boolean replayable = client.bodyless() || replay != null;
        if (!repeats.allows(outcome, attempts, replayable)) {
            return false;
        }
        attempt.cancel(Reset.CANCELLED);
        current = null;
        client.pause();
        backoff = loop.after(repeats.backoff(attempts), () -> {
            backoff = null;
            attempt(true);
        });
        return true;
    }

    private void retryOver(Attempt attempt) {
        if (attempt.giveBackRetry()) {
            repeats.retryEnded();
        }
    }

    @Override
    public void failed(Failure failure, boolean written) {
        facts.upstreamFailure = failure.reason();
        if (answer.isBegun()) {
            breakOff("UC", address() + " broke off its answer: " + failure.reason(), Reset.INTERNAL);
            return;
        }
        var refusal =
                Failures.refusal(failure, new Failures.Place(way.name(), workload, address(), terms.origin()), side);
        if (Failures.isFinal(failure) || !again(Failures.outcome(failure, written))) {
            refuse(refusal);
        }
    }

    private String address() {
        return current == null ? way.name() : current.address();
    }

    // -- the answer

    @Override
    public void interim(Response head) {
        side.strip(head.fields(), spoken);
        answer.interim(head);
    }

    @Override
    public void head(Response head, boolean last) {
        if (last) {
            streamEnded();
        }
        var outcome = new Outcome.Responded(head.status(), Answer.grpcStatus(head.fields()));
        if (current != null && !isInHaste(head)) {
            current.heard(outcome);
        }
        if (again(outcome)) {
            return;
        }
        forgetReplay();
        if (current != null) {
            current.stopClock();
        }
        side.strip(head.fields(), spoken);
        if (upgrades) {
            switched = head.status() == 101;
            // Where it was not granted it was a request like any other, without a body.
            complete |= !switched;
            if (switched && deadline != null) {
                deadline.cancel();
            }
        }
        answer.head(head, last);
        begun();
        passed(last);
    }

    /// The peer's sidecar may be the first to see that the caller's time is over.
    private boolean isInHaste(Response head) {
        return callersTime
                && spoken instanceof Transport.Mtls
                && OUT_OF_TIME.equals(head.fields().get(LocalReply.FLAG));
    }

    @Override
    public void data(ByteBuf chunk, boolean last) {
        if (last) {
            streamEnded();
        }
        answer.data(chunk, last);
        passed(last);
    }

    @Override
    public void trailers(Fields trailers) {
        streamEnded();
        side.strip(trailers, spoken);
        answer.trailers(trailers);
        passed(true);
    }

    /// What the request still lacks nobody will read.
    private void streamEnded() {
        if (complete && current != null) {
            current.streamEnded();
        }
    }

    private void passed(boolean last) {
        if (last) {
            answerEnded = true;
            if (!switched || complete) {
                finish();
            }
            return;
        }
        var stream = current == null ? null : current.stream();
        if (stream != null && !answer.hasRoom()) {
            stream.pause();
        }
    }

    // -- the end

    private void finish() {
        end(Reset.CANCELLED);
        call.over();
        client.resume();
    }

    private void refuse(Refusal refusal) {
        end(Reset.CANCELLED);
        side.refuse(call, refusal);
    }

    private void breakOff(Refusal refusal) {
        noteEnd(refusal.flag(), refusal.sentence());
        end(Reset.CANCELLED);
        if (!call.endWith(refusal)) {
            client.reset(Reset.TIMED_OUT);
            call.over();
        }
    }

    /// The answer has begun, so all that is left is to let the client notice.
    private void breakOff(String flag, String sentence, Reset reason) {
        noteEnd(flag, sentence);
        end(Reset.CANCELLED);
        client.reset(reason);
        call.over();
    }

    private void noteEnd(String flag, String sentence) {
        facts.flag(flag);
        facts.termination = sentence;
        facts.sentence = sentence;
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
            repeats.retryEnded();
        }
        forgetReplay();
        if (current != null) {
            var last = current;
            current = null;
            retryOver(last);
            last.cancel(reason);
        }
        repeats.requestEnded();
    }

    private void forgetReplay() {
        if (replay != null) {
            replay.release();
            replay = null;
        }
    }
}
