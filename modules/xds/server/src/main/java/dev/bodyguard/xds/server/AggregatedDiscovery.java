package dev.bodyguard.xds.server;

import com.google.protobuf.Message;
import dev.bodyguard.xds.snapshot.DeltaSession;
import dev.bodyguard.xds.snapshot.FullSession;
import dev.bodyguard.xds.snapshot.Limits;
import io.envoyproxy.envoy.service.discovery.v3.AggregatedDiscoveryServiceGrpc;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse;
import io.grpc.BindableService;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/// xDS's aggregated discovery service: one stream per client, any types on it, in either protocol.
///
/// A plain gRPC service: whatever transport carries it, each stream writes on its own virtual thread, and what one
/// slow client has not been told yet is never more than the newest generation.
public final class AggregatedDiscovery implements BindableService, AutoCloseable {
    private final Views views;
    private final Events events;
    private final Limits limits;
    private final Capacity capacity;
    private final Quota streamsOfPeers;
    private final Quota bytesOfPeers;
    private final Set<ServedStream<?, ?>> streams = ConcurrentHashMap.newKeySet();
    private final AtomicLong counter = new AtomicLong();
    private volatile boolean closed;

    public AggregatedDiscovery(Views views, Events events) {
        this(views, events, Limits.ordinary(), Capacity.ordinary());
    }

    /// Serves within bounds.
    ///
    /// @param limits of one stream
    /// @param capacity of all together, and of each peer
    public AggregatedDiscovery(Views views, Events events, Limits limits, Capacity capacity) {
        this.views = views;
        this.events = events;
        this.limits = limits;
        this.capacity = capacity;
        this.streamsOfPeers = new Quota(capacity.streamsPerPeer());
        this.bytesOfPeers = new Quota(capacity.bytesPerPeer());
    }

    /// What [Views] answers may have changed: every stream asks again and sends the difference. Returns at once.
    public void publish() {
        streams.forEach(ServedStream::publish);
    }

    /// Everyone who is being served now.
    public List<ClientState> clients() {
        return streams.stream().flatMap(stream -> stream.state().stream()).toList();
    }

    /// Ends all streams, and at once every one that is opened later.
    @Override
    public void close() {
        closed = true;
        streams.forEach(stream -> stream.end("the server is going away"));
    }

    @Override
    public ServerServiceDefinition bindService() {
        return new AggregatedDiscoveryServiceGrpc.AggregatedDiscoveryServiceImplBase() {
            @Override
            public StreamObserver<DiscoveryRequest> streamAggregatedResources(
                    StreamObserver<DiscoveryResponse> responses) {
                return serve(new ServedStream<>(
                        counter.incrementAndGet(),
                        Peer.current(),
                        (ServerCallStreamObserver<DiscoveryResponse>) responses,
                        DiscoveryRequest::getNode,
                        resources -> new FullSession(resources, limits),
                        views,
                        events,
                        bytesOfPeers,
                        capacity,
                        AggregatedDiscovery.this::over));
            }

            @Override
            public StreamObserver<DeltaDiscoveryRequest> deltaAggregatedResources(
                    StreamObserver<DeltaDiscoveryResponse> responses) {
                return serve(new ServedStream<>(
                        counter.incrementAndGet(),
                        Peer.current(),
                        (ServerCallStreamObserver<DeltaDiscoveryResponse>) responses,
                        DeltaDiscoveryRequest::getNode,
                        resources -> new DeltaSession(resources, limits),
                        views,
                        events,
                        bytesOfPeers,
                        capacity,
                        AggregatedDiscovery.this::over));
            }
        }.bindService();
    }

    private <Q extends Message> StreamObserver<Q> serve(ServedStream<Q, ?> stream) {
        if (streams.size() >= capacity.streams()) {
            stream.refuse("this server serves " + capacity.streams() + " streams already, the most it does; ask again"
                    + " later, or run another one");
        } else if (!streamsOfPeers.take(stream.peer(), 1)) {
            stream.refuse(stream.peer() + " has " + capacity.streamsPerPeer()
                    + " streams already, the most that one peer may have; close some");
        } else {
            streams.add(stream);
        }
        if (closed) {
            stream.end("the server is going away");
        }
        stream.start();
        return stream;
    }

    private void over(ServedStream<?, ?> stream) {
        if (streams.remove(stream)) {
            streamsOfPeers.take(stream.peer(), -1);
        }
    }
}
