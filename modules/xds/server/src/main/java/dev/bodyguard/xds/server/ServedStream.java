package dev.bodyguard.xds.server;

import com.google.protobuf.Message;
import dev.bodyguard.xds.snapshot.Heard;
import dev.bodyguard.xds.snapshot.Reaction;
import dev.bodyguard.xds.snapshot.Resources;
import dev.bodyguard.xds.snapshot.Session;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// One stream: a mailbox that gRPC's threads and the publisher fill, and the virtual thread that empties it, owns the
/// session and writes.
///
/// The mailbox is small on purpose. A generation is not a message but a mark, so however many come while the client
/// reads slowly, the newest is what it gets. Once [Capacity#waitingBytes()] of requests are here, gRPC is not asked for
/// more until some are done: its flow control stops the client. Its threads are never made to wait, for they also bring
/// the news that the client reads again, or is gone.
final class ServedStream<Q extends Message, R> implements StreamObserver<Q> {
    /// What a request costs besides its bytes, the empty one too.
    private static final int REQUEST = 256;

    private final long number;
    private final Peer peer;
    private final ServerCallStreamObserver<R> responses;
    private final Function<Q, Node> nodeOf;
    private final Function<Resources, Session<Q, R>> sessions;
    private final Views views;
    private final Events events;
    private final Share kept;
    private final Capacity capacity;
    private final Consumer<ServedStream<Q, R>> over;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    // Guarded by the lock.
    private final ArrayDeque<Q> requests = new ArrayDeque<>();
    private long waitingBytes;
    /// No more requests were asked for: too many are here.
    private boolean heldBack;
    private boolean published;
    private @Nullable Ending ending;

    private volatile @Nullable ClientState state;
    // Of the stream's own thread.
    private boolean toldHeldBack;
    /// By type; the session bounds how many there are.
    private final Map<String, ClientState.Answers> answers = new HashMap<>();

    /// Why there is nothing more to do, and what the client is still told.
    private record Ending(String why, Status status) {}

    private sealed interface Task<Q> {}

    /// @param heldBack no more were asked for when it was taken
    /// @param again from now on more may come
    private record Request<Q>(Q request, boolean heldBack, boolean again) implements Task<Q> {}

    private record Published<Q>() implements Task<Q> {}

    private record End<Q>(Ending how) implements Task<Q> {}

    ServedStream(
            long number,
            Peer peer,
            ServerCallStreamObserver<R> responses,
            Function<Q, Node> nodeOf,
            Function<Resources, Session<Q, R>> sessions,
            Views views,
            Events events,
            Quota bytes,
            Capacity capacity,
            Consumer<ServedStream<Q, R>> over) {
        this.number = number;
        this.peer = peer;
        this.responses = responses;
        this.nodeOf = nodeOf;
        this.sessions = sessions;
        this.views = views;
        this.events = events;
        this.kept = new Share(bytes, peer);
        this.capacity = capacity;
        this.over = over;
        responses.disableAutoRequest();
        responses.setOnReadyHandler(this::wake);
        responses.setOnCancelHandler(() -> ended(new Ending("the client is gone", Status.CANCELLED)));
    }

    void start() {
        responses.request(1);
        Thread.ofVirtual().name("xds-stream-" + number).start(this::run);
    }

    void publish() {
        locked(() -> published = true);
    }

    void end(String why) {
        ended(new Ending(why, Status.UNAVAILABLE.withDescription(why)));
    }

    /// Not what the client asked for.
    void refuse(String why) {
        events.refused(new Client(number, Node.getDefaultInstance(), peer), why);
        ended(new Ending("refused: " + why, Status.RESOURCE_EXHAUSTED.withDescription(why)));
    }

    Peer peer() {
        return peer;
    }

    /// Empty until the client has said who it is.
    Optional<ClientState> state() {
        return Optional.ofNullable(state);
    }

    @Override
    public void onNext(Q request) {
        if (!kept.more(weight(request))) {
            if (!over()) {
                refuse(tooMuchKept());
            }
            return;
        }
        lock.lock();
        try {
            requests.add(request);
            waitingBytes += weight(request);
            heldBack = waitingBytes >= capacity.waitingBytes();
            changed.signalAll();
            if (heldBack) {
                return;
            }
        } finally {
            lock.unlock();
        }
        responses.request(1);
    }

    private static long weight(Message request) {
        return (long) request.getSerializedSize() + REQUEST;
    }

    @Override
    public void onError(Throwable lost) {
        ended(new Ending("the client is gone: " + lost.getMessage(), Status.CANCELLED));
    }

    @Override
    public void onCompleted() {
        ended(new Ending("the client closed the stream", Status.OK));
    }

    private boolean over() {
        lock.lock();
        try {
            return ending != null;
        } finally {
            lock.unlock();
        }
    }

    private void ended(Ending how) {
        locked(() -> {
            if (ending == null) {
                ending = how;
            }
        });
    }

    private void wake() {
        locked(() -> {});
    }

    private void locked(Runnable change) {
        lock.lock();
        try {
            change.run();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private Task<Q> next() throws InterruptedException {
        var task = taken();
        if (task instanceof Request<Q>(var _, var _, var again) && again) {
            responses.request(1);
        }
        return task;
    }

    private Task<Q> taken() throws InterruptedException {
        lock.lock();
        try {
            while (true) {
                if (ending != null) {
                    return new End<>(ending);
                }
                if (published) {
                    published = false;
                    return new Published<>();
                }
                var request = requests.poll();
                if (request != null) {
                    waitingBytes -= weight(request);
                    kept.less(weight(request));
                    boolean was = heldBack;
                    heldBack = was && waitingBytes >= capacity.waitingBytes();
                    return new Request<>(request, was, was && !heldBack);
                }
                changed.await();
            }
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        var client = new Client(number, Node.getDefaultInstance(), peer);
        Ending how;
        try {
            var first = firstRequest();
            if (first == null) {
                how = ending();
            } else {
                client = new Client(number, nodeOf.apply(first), peer);
                how = serve(client, first);
            }
        } catch (InterruptedException stopped) {
            how = new Ending("interrupted", Status.UNAVAILABLE.withDescription("the server is going away"));
        } catch (RuntimeException | Error defect) {
            how = failed(client, defect);
        }
        var served = state != null;
        state = null;
        // Whoever still waits to hand over a request need not.
        ended(how);
        kept.close();
        over.accept(this);
        finish(how.status);
        if (served) {
            events.disconnected(client, how.why);
        }
    }

    private Ending failed(Client client, Throwable cause) {
        if (responses.isCancelled()) {
            // Writing to someone who has just left fails in as many ways as there are transports.
            return new Ending("the client is gone", Status.CANCELLED);
        }
        events.failed(client, cause);
        return new Ending(
                "failed: " + cause,
                Status.INTERNAL.withDescription("the control plane failed on this stream; its log says why"));
    }

    private @Nullable Q firstRequest() throws InterruptedException {
        while (true) {
            switch (next()) {
                case Request<Q>(var request, var _, var _) -> {
                    return request;
                }
                case Published<Q> _ -> {} // there is no view yet that could be outdated
                case End<Q> _ -> {
                    return null;
                }
            }
        }
    }

    private Ending ending() {
        lock.lock();
        try {
            return ending == null ? new Ending("nothing was asked", Status.OK) : ending;
        } finally {
            lock.unlock();
        }
    }

    private Ending serve(Client client, Q first) throws InterruptedException {
        Resources resources;
        switch (views.of(client.node(), peer)) {
            case Views.Refuse(var why) -> {
                return refused(client, why, Status.PERMISSION_DENIED);
            }
            case Views.Serve(var visible) -> resources = visible;
        }
        var session = sessions.apply(resources);
        state = new ClientState(client, resources.generation(), true, Map.of(), Map.of());
        events.connected(client);
        return serve(client, first, resources, session);
    }

    private String tooMuchKept() {
        return peer + " is subscribed to more names on all its streams than one peer may be, or left more without an"
                + " answer: " + capacity.bytesPerPeer() + " bytes are kept for it";
    }

    private Ending serve(Client client, Q first, Resources resources, Session<Q, R> session)
            throws InterruptedException {
        long weight = 0;
        var reaction = session.hear(first);
        while (true) {
            switch (reaction) {
                case Reaction.Refusal<R>(var why) -> {
                    return refused(client, why, Status.RESOURCE_EXHAUSTED);
                }
                case Reaction.Answer<R>(var send, var heard) -> {
                    long now = client.node().getSerializedSize() + session.weight();
                    if (!kept.more(now - weight)) {
                        return refused(client, tooMuchKept(), Status.RESOURCE_EXHAUSTED);
                    }
                    weight = now;
                    heard.forEach(this::count);
                    state = stateOf(client, resources, session);
                    for (var what : heard) {
                        switch (what) {
                            case Heard.Acked acked -> events.acked(client, acked);
                            case Heard.Nacked nacked -> events.nacked(client, nacked);
                        }
                    }
                    for (var response : send) {
                        if (!awaitReady()) {
                            return ending();
                        }
                        responses.onNext(response);
                    }
                }
            }
            switch (next()) {
                case End<Q>(var how) -> {
                    return how;
                }
                case Request<Q>(var request, var wasHeldBack, var _) -> {
                    if (wasHeldBack && !toldHeldBack) {
                        toldHeldBack = true;
                        events.heldBack(client, capacity.waitingBytes());
                    }
                    reaction = session.hear(request);
                }
                case Published<Q> _ -> {
                    switch (views.of(client.node(), peer)) {
                        case Views.Refuse(var why) -> {
                            return refused(client, why, Status.PERMISSION_DENIED);
                        }
                        case Views.Serve(var visible) -> {
                            resources = visible;
                            reaction = session.offer(visible);
                            if (reaction instanceof Reaction.Answer<R>(var send, var _) && !send.isEmpty()) {
                                events.pushing(client, visible.generation(), send.size());
                            }
                        }
                    }
                }
            }
        }
    }

    private Ending refused(Client client, String why, Status status) {
        events.refused(client, why);
        return new Ending("refused: " + why, status.withDescription(why));
    }

    private void count(Heard what) {
        var one = switch (what) {
            case Heard.Acked _ -> new ClientState.Answers(1, 0);
            case Heard.Nacked _ -> new ClientState.Answers(0, 1);
        };
        answers.merge(what.typeUrl(), one, ClientState.Answers::and);
    }

    private ClientState stateOf(Client client, Resources resources, Session<Q, R> session) {
        var refused = new HashMap<String, Map<String, String>>();
        for (var type : session.types()) {
            answers.putIfAbsent(type, ClientState.Answers.NONE);
            var of = session.refused(type);
            if (!of.isEmpty()) {
                refused.put(type, of);
            }
        }
        return new ClientState(client, resources.generation(), session.settled(), answers, refused);
    }

    /// grpc-netty queues without an end what it cannot write yet; Helidon is always ready and blocks in `onNext`.
    private boolean awaitReady() throws InterruptedException {
        lock.lock();
        try {
            while (ending == null && !responses.isReady()) {
                changed.await();
            }
            return ending == null;
        } finally {
            lock.unlock();
        }
    }

    private void finish(Status status) {
        if (responses.isCancelled()) {
            return;
        }
        try {
            if (status.isOk()) {
                responses.onCompleted();
            } else {
                responses.onError(status.asRuntimeException());
            }
        } catch (RuntimeException gone) {
            // It left while it was being told; there is nobody to tell.
        }
    }
}
