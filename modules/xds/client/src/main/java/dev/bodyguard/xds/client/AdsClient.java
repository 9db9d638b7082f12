package dev.bodyguard.xds.client;

import com.google.protobuf.Any;
import com.google.rpc.Code;
import com.google.rpc.Status;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.service.discovery.v3.AggregatedDiscoveryServiceGrpc;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.envoyproxy.envoy.service.discovery.v3.Resource;
import io.envoyproxy.envoy.service.discovery.v3.ResourceError;
import io.envoyproxy.envoy.service.discovery.v3.ResourceName;
import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.net.ConnectException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// A delta ADS client that stays with its control plane: over one stream at a time, and once that is lost with attempts
/// after 100 ms, then at least every second for a minute (every half where nobody listens), then every 10 s, for as
/// long as it takes.
///
/// Any thread may subscribe, unsubscribe and close. One thread, started by [#start()], owns everything else.
public final class AdsClient implements AutoCloseable {
    /// The largest response that is accepted.
    public static final int LARGEST_MESSAGE = 16 << 20;

    // How a server of ours marks a response whose batch goes on in the next one of that type.
    private static final String MORE_FOLLOWS = "+";
    private static final String WILDCARD = "*";
    private static final int NAMED_ERRORS = 100;
    private static final int REASON_LENGTH = 500;

    private final Supplier<ManagedChannel> channels;
    private final Node node;
    private final Sink sink;
    private final Events events;
    private final Backoff backoff;
    private final BlockingQueue<Message> mailbox = new LinkedBlockingQueue<>();
    private final Thread owner;

    // Owned by the thread.
    private final Map<String, Wanted> wanted = new LinkedHashMap<>();
    private @Nullable Stream stream;
    private boolean closed;

    /// @param channels called for every attempt, on the client's thread; the client shuts the channel down when its
    ///     stream is over, so that the next attempt connects at once and with the certificate of that day. Give it
    ///     a keep-alive time: nothing else notices a control plane that vanished without closing its sockets
    /// @param node sent to the control plane with each stream's first request
    public AdsClient(Supplier<ManagedChannel> channels, Node node, Sink sink, Events events) {
        this(channels, node, sink, events, RandomGenerator.getDefault());
    }

    AdsClient(Supplier<ManagedChannel> channels, Node node, Sink sink, Events events, RandomGenerator random) {
        this.channels = channels;
        this.node = node;
        this.sink = sink;
        this.events = events;
        this.backoff = new Backoff(random);
        this.owner = Thread.ofPlatform().daemon().name("xds-client").unstarted(this::run);
    }

    /// Connects; once. Subscriptions may be made before and after.
    public void start() {
        owner.start();
    }

    /// Also asks again for a name that is subscribed to already.
    public void subscribe(String typeUrl, Collection<String> names) {
        for (var name : names) {
            if (name.isEmpty() || name.equals(WILDCARD)) {
                throw new IllegalArgumentException("a subscribed name must be neither empty nor '*', one of type "
                        + typeUrl + " was '" + name + "'");
            }
        }
        if (!names.isEmpty()) {
            mailbox.add(new Subscribe(typeUrl, List.copyOf(names), false));
        }
    }

    /// Everything of a type that the control plane lets this client see.
    public void subscribeToAll(String typeUrl) {
        mailbox.add(new Subscribe(typeUrl, List.of(), true));
    }

    /// The sink is told nothing (more) about these names.
    public void unsubscribe(String typeUrl, Collection<String> names) {
        if (!names.isEmpty()) {
            mailbox.add(new Unsubscribe(typeUrl, List.copyOf(names)));
        }
    }

    /// Ends the stream and waits for the thread; nothing is called afterwards.
    @Override
    public void close() {
        mailbox.add(new Close());
        if (Thread.currentThread() == owner) {
            return;
        }
        try {
            owner.join();
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }

    private sealed interface Message {}

    private record Subscribe(String typeUrl, List<String> names, boolean all) implements Message {}

    private record Unsubscribe(String typeUrl, List<String> names) implements Message {}

    private record Received(Stream on, DeltaDiscoveryResponse response) implements Message {}

    private record Ended(Stream which, Loss how) implements Message {}

    private record Close() implements Message {}

    /// A stream is over.
    ///
    /// @param nobodyListens there was not even a connection
    private record Loss(String why, boolean nobodyListens) {}

    /// What this client asks for of one type, and what it has: resource name to version.
    private static final class Wanted {
        private final Set<String> names = new HashSet<>();
        private boolean all;
        private final Map<String, String> versions = new HashMap<>();

        boolean wants(Resource resource) {
            return all
                    || names.contains(resource.getName())
                    || resource.getAliasesList().stream().anyMatch(names::contains);
        }

        boolean concerns(String removed) {
            return all || names.contains(removed) || versions.containsKey(removed);
        }
    }

    private void run() {
        while (!closed) {
            var loss = follow();
            leave();
            if (!closed) {
                var wait = backoff.draw(loss.nobodyListens);
                tell(() -> events.lost(loss.why, wait));
                pause(wait);
            }
        }
    }

    /// From opening a stream to losing it.
    private Loss follow() {
        try {
            var opened = new Stream(channels.get());
            stream = opened;
            opened.open();
            wanted.forEach((typeUrl, _) -> introduce(opened, typeUrl));
            while (!closed) {
                switch (mailbox.take()) {
                    case Subscribe asked -> subscribe(asked, opened);
                    case Unsubscribe given -> unsubscribe(given, opened);
                    case Received received when received.on == opened -> received(opened, received.response);
                    case Ended ended
                    when ended.which == opened -> {
                        return ended.how;
                    }
                    case Received _, Ended _ -> {} // of a stream that was left
                    case Close _ -> closed = true;
                }
            }
            return new Loss("closed", false);
        } catch (InterruptedException _) {
            closed = true;
            return new Loss("interrupted", false);
        } catch (RuntimeException broken) {
            return new Loss(broken.toString(), false);
        }
    }

    private void leave() {
        if (stream != null) {
            stream.abandon();
            stream = null;
        }
    }

    private void pause(Duration wait) {
        var until = System.nanoTime() + wait.toNanos();
        try {
            while (!closed) {
                var message = mailbox.poll(until - System.nanoTime(), TimeUnit.NANOSECONDS);
                switch (message) {
                    case null -> {
                        return;
                    }
                    case Subscribe asked -> remember(asked);
                    case Unsubscribe given -> forget(given);
                    case Received _, Ended _ -> {}
                    case Close _ -> closed = true;
                }
            }
        } catch (InterruptedException _) {
            closed = true;
        }
    }

    private Wanted remember(Subscribe asked) {
        var of = wanted.computeIfAbsent(asked.typeUrl, _ -> new Wanted());
        of.names.addAll(asked.names);
        of.all |= asked.all;
        return of;
    }

    private void forget(Unsubscribe given) {
        var of = wanted.get(given.typeUrl);
        if (of == null) {
            return;
        }
        for (var name : given.names) {
            of.names.remove(name);
            if (!of.all) {
                of.versions.remove(name);
            }
        }
    }

    private void subscribe(Subscribe asked, Stream on) {
        remember(asked);
        if (on.introduced.contains(asked.typeUrl)) {
            var names = new ArrayList<>(asked.names);
            if (asked.all) {
                names.add(WILDCARD);
            }
            on.send(DeltaDiscoveryRequest.newBuilder().setTypeUrl(asked.typeUrl).addAllResourceNamesSubscribe(names));
        } else {
            introduce(on, asked.typeUrl);
        }
    }

    private void unsubscribe(Unsubscribe given, Stream on) {
        forget(given);
        if (on.introduced.contains(given.typeUrl)) {
            on.send(DeltaDiscoveryRequest.newBuilder()
                    .setTypeUrl(given.typeUrl)
                    .addAllResourceNamesUnsubscribe(given.names));
        }
    }

    /// A type's first request on a stream: all that is wanted, and what is there already.
    private void introduce(Stream on, String typeUrl) {
        var of = wanted.get(typeUrl);
        // A first request without a name would mean "everything".
        if (of == null || (of.names.isEmpty() && !of.all)) {
            return;
        }
        on.introduced.add(typeUrl);
        var request = DeltaDiscoveryRequest.newBuilder()
                .setTypeUrl(typeUrl)
                .addAllResourceNamesSubscribe(of.names)
                .putAllInitialResourceVersions(of.versions);
        if (of.all) {
            request.addResourceNamesSubscribe(WILDCARD);
        }
        on.send(request);
    }

    private void received(Stream on, DeltaDiscoveryResponse response) {
        if (!on.answered) {
            on.answered = true;
            backoff.reset();
            tell(events::connected);
        }
        var parts = on.parts.computeIfAbsent(response.getTypeUrl(), _ -> new ArrayList<>());
        parts.add(response);
        if (!response.getNonce().endsWith(MORE_FOLLOWS)) {
            on.parts.remove(response.getTypeUrl());
            apply(on, response.getTypeUrl(), parts);
        }
        on.more();
    }

    private void apply(Stream on, String typeUrl, List<DeltaDiscoveryResponse> batch) {
        var of = wanted.get(typeUrl);
        var rejected = Map.<String, String>of();
        if (of != null) {
            var updated = new ArrayList<Resource>();
            var removed = new ArrayList<String>();
            for (var part : batch) {
                part.getResourcesList().stream().filter(of::wants).forEach(updated::add);
                part.getRemovedResourcesList().stream().filter(of::concerns).forEach(removed::add);
            }
            tell(() -> events.received(typeUrl, batch.getLast().getSystemVersionInfo()));
            rejected = applied(typeUrl, updated, removed);
            removed.forEach(of.versions::remove);
            for (var resource : updated) {
                if (!rejected.containsKey(resource.getName())) {
                    of.versions.put(resource.getName(), resource.getVersion());
                }
            }
        }
        for (var part : batch) {
            on.send(answer(part, rejected));
        }
        if (!rejected.isEmpty()) {
            var told = rejected;
            tell(() -> events.nacked(typeUrl, told));
        }
    }

    private Map<String, String> applied(String typeUrl, List<Resource> updated, List<String> removed) {
        try {
            return sink.apply(typeUrl, List.copyOf(updated), List.copyOf(removed))
                    .rejected();
        } catch (RuntimeException defect) {
            // Ours, not the control plane's; but it must not look as if this were in force.
            var all = new HashMap<String, String>();
            updated.forEach(resource -> all.put(resource.getName(), "could not be applied: " + defect));
            return all;
        }
    }

    private static DeltaDiscoveryRequest.Builder answer(DeltaDiscoveryResponse to, Map<String, String> rejected) {
        var answer =
                DeltaDiscoveryRequest.newBuilder().setTypeUrl(to.getTypeUrl()).setResponseNonce(to.getNonce());
        var status = Status.newBuilder().setCode(Code.INVALID_ARGUMENT_VALUE);
        var sentences = new ArrayList<String>();
        for (var resource : to.getResourcesList()) {
            var reason = rejected.get(resource.getName());
            if (reason != null && sentences.size() < NAMED_ERRORS) {
                var sentence = reason.length() <= REASON_LENGTH ? reason : reason.substring(0, REASON_LENGTH) + "…";
                sentences.add(resource.getName() + ": " + sentence);
                status.addDetails(Any.pack(ResourceError.newBuilder()
                        .setResourceName(ResourceName.newBuilder().setName(resource.getName()))
                        .setErrorDetail(Status.newBuilder()
                                .setCode(Code.INVALID_ARGUMENT_VALUE)
                                .setMessage(sentence))
                        .build()));
            }
        }
        if (!sentences.isEmpty()) {
            answer.setErrorDetail(status.setMessage(String.join("; ", sentences)));
        }
        return answer;
    }

    /// A listener's failure is its own; this thread has a mesh to follow.
    private void tell(Runnable event) {
        try {
            event.run();
        } catch (RuntimeException defect) {
            System.getLogger(AdsClient.class.getName())
                    .log(System.Logger.Level.ERROR, "a listener of the xDS client failed", defect);
        }
    }

    /// One call on one channel. gRPC's threads only put messages into the mailbox.
    private final class Stream implements ClientResponseObserver<DeltaDiscoveryRequest, DeltaDiscoveryResponse> {
        private final ManagedChannel channel;
        private final Set<String> introduced = new HashSet<>();
        private final Map<String, List<DeltaDiscoveryResponse>> parts = new HashMap<>();
        private boolean nodeSent;
        private boolean answered;
        private @Nullable ClientCallStreamObserver<DeltaDiscoveryRequest> requests;

        Stream(ManagedChannel channel) {
            this.channel = channel;
        }

        void open() {
            var _ = AggregatedDiscoveryServiceGrpc.newStub(channel)
                    .withMaxInboundMessageSize(LARGEST_MESSAGE)
                    .deltaAggregatedResources(this);
        }

        @Override
        public void beforeStart(ClientCallStreamObserver<DeltaDiscoveryRequest> call) {
            requests = call;
            // One response at a time: what is not applied yet waits at the server.
            call.disableAutoRequestWithInitial(1);
        }

        void send(DeltaDiscoveryRequest.Builder request) {
            if (!nodeSent) {
                nodeSent = true;
                request.setNode(node);
            }
            if (requests != null) {
                requests.onNext(request.build());
            }
        }

        void more() {
            if (requests != null) {
                requests.request(1);
            }
        }

        void abandon() {
            if (requests != null) {
                requests.cancel("this stream is over", null);
            }
            channel.shutdownNow();
        }

        @Override
        public void onNext(DeltaDiscoveryResponse response) {
            mailbox.add(new Received(this, response));
        }

        @Override
        public void onError(Throwable lost) {
            var status = io.grpc.Status.fromThrowable(lost);
            var cause = status.getCause();
            var why = status.getCode()
                    + (status.getDescription() == null ? "" : ": " + firstLine(status.getDescription()))
                    + (cause == null ? "" : " (" + cause + ")");
            mailbox.add(new Ended(this, new Loss(why, cause instanceof ConnectException)));
        }

        /// Below it gRPC lists its channel's handlers.
        private static String firstLine(String description) {
            return description.lines().findFirst().orElse("");
        }

        @Override
        public void onCompleted() {
            mailbox.add(new Ended(this, new Loss("the control plane ended the stream", false)));
        }
    }
}
