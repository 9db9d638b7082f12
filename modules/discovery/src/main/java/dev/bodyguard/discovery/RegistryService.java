package dev.bodyguard.discovery;

import dev.bodyguard.xds.protocol.discovery.v1.EnrolRequest;
import dev.bodyguard.xds.protocol.discovery.v1.EnrolResponse;
import dev.bodyguard.xds.protocol.discovery.v1.RegistryGrpc;
import dev.bodyguard.xds.protocol.discovery.v1.Workload;
import dev.bodyguard.xds.server.Peer;
import dev.bodyguard.xds.server.Quota;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The gRPC side of registration: one stream per workload. The only class that turns refusals into gRPC statuses.
final class RegistryService extends RegistryGrpc.RegistryImplBase {
    /// A keep-alive more often than this says nothing new.
    private static final long NEWS_NANOS = Duration.ofMillis(100).toNanos();

    private final Admission admission;
    private final Consumer<Catalogue.Message> catalogue;
    private final Quota streamsOfPeers;
    private final Events events;
    private final AtomicLong streams = new AtomicLong();

    RegistryService(Admission admission, Consumer<Catalogue.Message> catalogue, Quota streamsOfPeers, Events events) {
        this.admission = admission;
        this.catalogue = catalogue;
        this.streamsOfPeers = streamsOfPeers;
        this.events = events;
    }

    @Override
    public StreamObserver<EnrolRequest> enrol(StreamObserver<EnrolResponse> responses) {
        var stream = new Stream(streams.incrementAndGet(), Peer.current(), responses);
        stream.begin();
        return stream;
    }

    /// Requests come on gRPC's thread of this call, answers from the catalogue's.
    private final class Stream implements StreamObserver<EnrolRequest>, Catalogue.Registration {
        private final long number;
        private final Peer peer;
        private final StreamObserver<EnrolResponse> responses;
        private final ReentrantLock writing = new ReentrantLock();
        // Guarded by the lock.
        private boolean over;

        /// It has a part of its peer's quota, which it gives back once.
        private final AtomicBoolean counted = new AtomicBoolean();

        // Of gRPC's thread of this call.
        private @Nullable String workload;
        private boolean draining;
        private long heardAt;

        Stream(long number, Peer peer, StreamObserver<EnrolResponse> responses) {
            this.number = number;
            this.peer = peer;
            this.responses = responses;
        }

        void begin() {
            counted.set(streamsOfPeers.take(peer, 1));
            if (!counted.get()) {
                refuse(Status.RESOURCE_EXHAUSTED, peer + " has more streams here than one peer may have; close some");
            }
        }

        @Override
        public void onNext(EnrolRequest request) {
            if (!counted.get()) {
                return; // it is over already
            }
            switch (request.getStepCase()) {
                case ENROL -> enrol(request.getEnrol());
                case KEEP_ALIVE -> keepAlive();
                case DRAIN -> drain();
                case STEP_NOT_SET -> refuse(Status.INVALID_ARGUMENT, "a request must be enrol, keep_alive or drain");
            }
        }

        private void enrol(Workload asked) {
            if (workload != null) {
                refuse(Status.INVALID_ARGUMENT, "this stream has enrolled " + workload + " already; open another one");
                return;
            }
            switch (admission.decide(asked, peer)) {
                case Admission.Admitted(var admitted) -> {
                    workload = Leases.name(admitted);
                    heardAt = System.nanoTime();
                    catalogue.accept(new Catalogue.Enrolled(admitted, this));
                }
                case Admission.Refused(var blame, var why) ->
                    refuse(
                            switch (blame) {
                                case IDENTITY -> Status.PERMISSION_DENIED;
                                case CONTENT -> Status.INVALID_ARGUMENT;
                            },
                            why);
            }
        }

        private void keepAlive() {
            if (workload == null) {
                refuse(Status.FAILED_PRECONDITION, "the first message must enrol");
                return;
            }
            long now = System.nanoTime();
            if (now - heardAt >= NEWS_NANOS) {
                heardAt = now;
                catalogue.accept(new Catalogue.Heard(workload, number));
            }
        }

        private void drain() {
            if (workload == null) {
                refuse(Status.FAILED_PRECONDITION, "the first message must enrol");
            } else if (!draining) {
                draining = true;
                catalogue.accept(new Catalogue.Drained(workload, this));
            }
        }

        private void refuse(Status status, String why) {
            events.refused(peer.toString(), why);
            finish(status.withDescription(why));
            left();
        }

        @Override
        public void onError(Throwable lost) {
            left();
        }

        @Override
        public void onCompleted() {
            finish(Status.OK);
            left();
        }

        private void giveBack() {
            if (counted.getAndSet(false)) {
                streamsOfPeers.take(peer, -1);
            }
        }

        private void left() {
            giveBack();
            if (workload != null) {
                catalogue.accept(new Catalogue.Broke(workload, number));
            }
        }

        @Override
        public String peer() {
            return peer.toString();
        }

        @Override
        public long stream() {
            return number;
        }

        @Override
        public void admitted(Duration lease) {
            answer(EnrolResponse.newBuilder()
                    .setLeaseMillis((int) lease.toMillis())
                    .build());
        }

        @Override
        public void drained() {
            answer(EnrolResponse.newBuilder().setDrained(true).build());
        }

        @Override
        public void ended(String why) {
            Thread.startVirtualThread(() -> finish(Status.ABORTED.withDescription(why)));
        }

        @Override
        public void taken(String why) {
            Thread.startVirtualThread(() -> finish(Status.ALREADY_EXISTS.withDescription(why)));
        }

        /// On a thread of its own: transports block a writer while the reader is slow.
        private void answer(EnrolResponse response) {
            Thread.startVirtualThread(() -> write(() -> responses.onNext(response)));
        }

        private void finish(Status status) {
            giveBack();
            write(() -> {
                over = true;
                if (status.isOk()) {
                    responses.onCompleted();
                } else {
                    responses.onError(status.asRuntimeException());
                }
            });
        }

        private void write(Runnable what) {
            writing.lock();
            try {
                if (!over) {
                    what.run();
                }
            } catch (RuntimeException gone) {
                over = true; // the peer left; its stream's end tells the catalogue
            } finally {
                writing.unlock();
            }
        }
    }
}
