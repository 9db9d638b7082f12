package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.xds.protocol.discovery.v1.Drain;
import dev.bodyguard.xds.protocol.discovery.v1.EnrolRequest;
import dev.bodyguard.xds.protocol.discovery.v1.EnrolResponse;
import dev.bodyguard.xds.protocol.discovery.v1.KeepAlive;
import dev.bodyguard.xds.protocol.discovery.v1.RegistryGrpc;
import dev.bodyguard.xds.protocol.discovery.v1.Workload;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// Keeps this workload in the mesh: enrols it, renews its lease, comes back after every loss, and takes it out again.
///
/// One thread owns everything; gRPC's only put signals into the mailbox.
final class Registration {
    private static final long LEAST_WAIT_MILLIS = 100;
    private static final long MOST_WAIT_MILLIS = 5_000;
    private static final long FIRST_ANSWER_MILLIS = 5_000;

    /// What can happen to it. Called on its thread.
    interface Events {
        void enrolled(Duration lease);

        void withdrawn();

        void lost(String why, Duration retryIn);

        /// Another sidecar has this workload's name. Asks again, at last every five seconds, and tells only once.
        void taken(String why);
    }

    private final Supplier<ManagedChannel> channels;
    private final Workload workload;
    private final Events events;
    private final RandomGenerator random;
    private final BlockingQueue<Signal> mailbox = new LinkedBlockingQueue<>();
    private final CountDownLatch left = new CountDownLatch(1);
    private final Thread thread =
            Thread.ofPlatform().name("enrolment").daemon(true).unstarted(this::run);

    // Guarded by this.
    private boolean over;

    // Owned by the thread.
    private boolean away;
    private boolean leaving;
    /// Why the name is not ours, as it was told; null while it is ours, or nobody has said.
    private @Nullable String taken;

    private sealed interface Signal {
        record Answer(Object stream, EnrolResponse response) implements Signal {}

        record Ended(Object stream, Status why) implements Signal {}

        record Withdraw() implements Signal {}

        record Return() implements Signal {}

        record Leave() implements Signal {}
    }

    /// @param channels called for every attempt; may throw what says why there is none
    Registration(Supplier<ManagedChannel> channels, Workload workload, Events events, RandomGenerator random) {
        this.channels = channels;
        this.workload = workload;
        this.events = events;
        this.random = random;
    }

    /// Begins; not where it was to leave for good before that.
    synchronized void start() {
        if (!over) {
            thread.start();
        }
    }

    /// Takes the workload out until it comes back; from any thread.
    void withdraw() {
        mailbox.add(new Signal.Withdraw());
    }

    /// Enrols it again; from any thread.
    void comeBack() {
        mailbox.add(new Signal.Return());
    }

    /// Takes the workload out for good; returns when discovery has said so, or after a while without.
    void drain(Duration atMost) throws InterruptedException {
        synchronized (this) {
            over = true;
            if (!thread.isAlive()) {
                return;
            }
        }
        mailbox.add(new Signal.Leave());
        var _ = left.await(atMost.toMillis(), TimeUnit.MILLISECONDS);
        thread.interrupt();
    }

    private void run() {
        long bound = LEAST_WAIT_MILLIS;
        try {
            while (!leaving) {
                if (away) {
                    heed(mailbox.take());
                    continue;
                }
                var outcome = stay();
                bound = outcome.enrolled() ? LEAST_WAIT_MILLIS : Math.min(2 * bound, MOST_WAIT_MILLIS);
                var wait = Duration.ofMillis(bound / 2 + random.nextLong(bound / 2));
                switch (outcome) {
                    case TakenOut _ -> {
                        if (!leaving) {
                            events.withdrawn();
                        }
                    }
                    case Broken(var why, var _) -> {
                        events.lost(why, wait);
                        pause(wait);
                    }
                    case Taken(var why, var _) -> {
                        if (!why.equals(taken)) {
                            taken = why;
                            events.taken(why);
                        }
                        pause(wait);
                    }
                }
            }
            left.countDown();
        } catch (InterruptedException _) {
            // Closed.
        }
    }

    /// Notes what is wanted from now on; true where that means to take the workload out.
    private boolean heed(Signal signal) {
        switch (signal) {
            case Signal.Leave _ -> leaving = true;
            case Signal.Withdraw _ -> away = true;
            case Signal.Return _ -> away = false;
            case Signal.Answer _, Signal.Ended _ -> {}
        }
        return leaving || away;
    }

    /// How a stream ended.
    private sealed interface Outcome {
        boolean enrolled();
    }

    /// As it was wanted.
    private record TakenOut() implements Outcome {
        @Override
        public boolean enrolled() {
            return true;
        }
    }

    private record Broken(String why, boolean enrolled) implements Outcome {}

    /// Another has the name.
    private record Taken(String why, boolean enrolled) implements Outcome {}

    /// From opening a stream to its end.
    private Outcome stay() throws InterruptedException {
        ManagedChannel channel;
        try {
            channel = channels.get();
        } catch (RuntimeException none) {
            return new Broken(String.valueOf(none.getMessage()), false);
        }
        try {
            return stay(channel);
        } catch (RuntimeException broken) {
            return new Broken(broken.toString(), false);
        } finally {
            channel.shutdownNow();
        }
    }

    private Outcome stay(ManagedChannel channel) throws InterruptedException {
        var stream = new Object();
        var requests = RegistryGrpc.newStub(channel).enrol(new StreamObserver<EnrolResponse>() {
            @Override
            public void onNext(EnrolResponse response) {
                mailbox.add(new Signal.Answer(stream, response));
            }

            @Override
            public void onError(Throwable error) {
                mailbox.add(new Signal.Ended(stream, Status.fromThrowable(error)));
            }

            @Override
            public void onCompleted() {
                mailbox.add(new Signal.Ended(stream, Status.UNAVAILABLE.withDescription("discovery ended the stream")));
            }
        });
        requests.onNext(EnrolRequest.newBuilder().setEnrol(workload).build());
        boolean enrolled = false;
        boolean draining = false;
        long pause = FIRST_ANSWER_MILLIS;
        while (true) {
            var signal = mailbox.poll(pause, TimeUnit.MILLISECONDS);
            switch (signal) {
                case null -> {
                    if (!enrolled) {
                        return new Broken("discovery did not answer within " + FIRST_ANSWER_MILLIS + " ms", false);
                    }
                    requests.onNext(EnrolRequest.newBuilder()
                            .setKeepAlive(KeepAlive.getDefaultInstance())
                            .build());
                }
                case Signal.Leave _, Signal.Withdraw _, Signal.Return _ -> {
                    if (heed(signal) && !draining) {
                        draining = true;
                        requests.onNext(EnrolRequest.newBuilder()
                                .setDrain(Drain.getDefaultInstance())
                                .build());
                    }
                }
                case Signal.Answer(var on, var response) -> {
                    if (on.equals(stream) && response.getDrained()) {
                        requests.onCompleted();
                        return new TakenOut();
                    }
                    if (on.equals(stream) && !enrolled) {
                        enrolled = true;
                        taken = null;
                        int lease = Math.max(response.getLeaseMillis(), 300);
                        pause = lease / 3;
                        events.enrolled(Duration.ofMillis(lease));
                    }
                }
                case Signal.Ended(var on, var why) -> {
                    if (on.equals(stream)) {
                        return why.getCode() == Status.Code.ALREADY_EXISTS
                                ? new Taken(String.valueOf(why.getDescription()), enrolled)
                                : new Broken(sentence(why), enrolled);
                    }
                }
            }
        }
    }

    private static String sentence(Status status) {
        var description = status.getDescription();
        var cause = status.getCause();
        // Below the first line gRPC lists its channel's handlers.
        return status.getCode()
                + (description == null
                        ? ""
                        : ": " + description.lines().findFirst().orElse(""))
                + (cause == null ? "" : " (" + cause + ")");
    }

    /// Waits, unless something is wanted before.
    private void pause(Duration wait) throws InterruptedException {
        long until = System.nanoTime() + wait.toNanos();
        while (!leaving && !away) {
            var signal = mailbox.poll(until - System.nanoTime(), TimeUnit.NANOSECONDS);
            if (signal == null) {
                return;
            }
            heed(signal);
        }
    }
}
