package dev.bodyguard.discovery;

import dev.bodyguard.xds.protocol.discovery.v1.TellRequest;
import dev.bodyguard.xds.protocol.discovery.v1.TellResponse;
import dev.bodyguard.xds.protocol.discovery.v1.Verdict;
import dev.bodyguard.xds.protocol.discovery.v1.VerdictsGrpc;
import dev.bodyguard.xds.server.Peer;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Predicate;

/// The gRPC side of what config has to say of documents.
final class VerdictService extends VerdictsGrpc.VerdictsImplBase {
    /// A config has one; those of a former life may not have ended yet.
    private static final int MOST_STREAMS = 64;

    private final Predicate<Peer> ours;
    private final Consumer<Verdict> source;
    private final Events events;
    private final AtomicLong numbers = new AtomicLong();
    private final ReentrantLock lock = new ReentrantLock();
    // Guarded by the lock.
    private final Verdicts verdicts = new Verdicts();
    private int streams;

    /// Wires it.
    ///
    /// @param ours who may speak
    /// @param source hears what all say of a document; must not block
    VerdictService(Predicate<Peer> ours, Consumer<Verdict> source, Events events) {
        this.ours = ours;
        this.source = source;
        this.events = events;
    }

    @Override
    public StreamObserver<TellRequest> tell(StreamObserver<TellResponse> responses) {
        var peer = Peer.current();
        long number = numbers.incrementAndGet();
        var open = new AtomicBoolean(ours.test(peer) && begin());
        if (!open.get()) {
            var why = "only services of namespace bodyguard-system may say how documents fare, at most " + MOST_STREAMS
                    + " at once, this is " + peer;
            events.refused(peer.toString(), why);
            responses.onError(Status.PERMISSION_DENIED.withDescription(why).asRuntimeException());
        }
        return new StreamObserver<>() {
            @Override
            public void onNext(TellRequest request) {
                if (open.get()) {
                    lock.lock();
                    try {
                        request.getVerdictsList().forEach(verdict -> source.accept(verdicts.heard(number, verdict)));
                    } finally {
                        lock.unlock();
                    }
                }
            }

            @Override
            public void onError(Throwable lost) {
                end();
            }

            @Override
            public void onCompleted() {
                if (open.get()) {
                    responses.onCompleted();
                }
                end();
            }

            private void end() {
                if (open.getAndSet(false)) {
                    lock.lock();
                    try {
                        streams--;
                        verdicts.gone(number).forEach(source);
                    } finally {
                        lock.unlock();
                    }
                }
            }
        };
    }

    private boolean begin() {
        lock.lock();
        try {
            if (streams >= MOST_STREAMS) {
                return false;
            }
            streams++;
            return true;
        } finally {
            lock.unlock();
        }
    }
}
