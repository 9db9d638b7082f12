package dev.bodyguard.standalone;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.bodyguard.identity.client.Enrolment;
import dev.bodyguard.identity.client.Events;
import dev.bodyguard.identity.client.LiveSvid;
import dev.bodyguard.identity.client.MeshChannel;
import dev.bodyguard.identity.service.ServerSvid;
import dev.bodyguard.identity.spiffe.JoinToken;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.identity.spiffe.TrustBundle;
import dev.bodyguard.xds.protocol.discovery.v1.Drain;
import dev.bodyguard.xds.protocol.discovery.v1.EnrolRequest;
import dev.bodyguard.xds.protocol.discovery.v1.EnrolResponse;
import dev.bodyguard.xds.protocol.discovery.v1.KeepAlive;
import dev.bodyguard.xds.protocol.discovery.v1.RegistryGrpc;
import dev.bodyguard.xds.protocol.discovery.v1.Workload;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.service.discovery.v3.AggregatedDiscoveryServiceGrpc;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.envoyproxy.envoy.service.discovery.v3.Resource;
import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// A sidecar as the control plane sees one: an SVID by join token, a registration, an ADS stream. On real sockets.
final class Sidecar implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Map<String, String> addresses;
    private final String service;
    private final String instance;
    private final TrustBundle roots;
    private final Svid svid;
    private final Deque<ManagedChannel> open = new ArrayDeque<>();

    // Guarded by this.
    private final Map<String, Resource> resources = new HashMap<>();
    private final Set<String> everRemoved = new HashSet<>();
    private final List<EnrolResponse> registry = new ArrayList<>();
    private final List<String> ends = new ArrayList<>();

    Sidecar(Map<String, String> addresses, Path state, String service, String instance)
            throws IOException, InterruptedException, TimeoutException {
        this.addresses = addresses;
        this.service = service;
        this.instance = instance;
        this.roots = TrustBundle.read("cluster.local", state.resolve("root.pem"));
        var id = SpiffeId.ofServiceAccount("cluster.local", "default", service);
        var enrolment = new Enrolment(
                id,
                () -> JoinToken.read(state.resolve("join").resolve(service + ".token")),
                roots,
                Duration.ZERO,
                null);
        try (var live = LiveSvid.start(
                enrolment,
                () -> new MeshChannel(
                                ServerSvid.id("cluster.local", "identity"),
                                () -> roots,
                                () -> null,
                                _ -> {},
                                InstantSource.system())
                        .to(address("identity"))
                        .build(),
                new Events() {},
                InstantSource.system())) {
            svid = live.await(PATIENCE);
        }
    }

    private String address(String of) {
        return Objects.requireNonNull(addresses.get(of), of);
    }

    private ManagedChannel channel(String to, String account) {
        var channel = new MeshChannel(
                        ServerSvid.id("cluster.local", account),
                        () -> roots,
                        () -> svid,
                        _ -> {},
                        InstantSource.system())
                .to(address(to))
                .build();
        open.push(channel);
        return channel;
    }

    /// Registers for a service, its own or another's.
    StreamObserver<EnrolRequest> enrol(String as, String version, int port) {
        var stream = RegistryGrpc.newStub(channel("discovery", "discovery")).enrol(new StreamObserver<>() {
            @Override
            public void onNext(EnrolResponse response) {
                changed(() -> registry.add(response));
            }

            @Override
            public void onError(Throwable lost) {
                changed(() -> ends.add(String.valueOf(lost.getMessage())));
            }

            @Override
            public void onCompleted() {
                changed(() -> ends.add("completed"));
            }
        });
        stream.onNext(EnrolRequest.newBuilder()
                .setEnrol(Workload.newBuilder()
                        .setNamespace("default")
                        .setName(as + "-" + instance)
                        .setService(as)
                        .setServiceAccount(as)
                        .putLabels("version", version)
                        .setAddress("127.0.0.1")
                        .putPorts(8080, port)
                        .setMeshed(true))
                .build());
        return stream;
    }

    static EnrolRequest keepAlive() {
        return EnrolRequest.newBuilder()
                .setKeepAlive(KeepAlive.getDefaultInstance())
                .build();
    }

    static EnrolRequest drain() {
        return EnrolRequest.newBuilder().setDrain(Drain.getDefaultInstance()).build();
    }

    /// Subscribes on a new stream, with what it holds already as a client that comes back does.
    void subscribe(Map<String, List<String>> names, String claimedAccount) {
        var requests = new AtomicReference<@Nullable StreamObserver<DeltaDiscoveryRequest>>();
        StreamObserver<DeltaDiscoveryRequest> stream = AggregatedDiscoveryServiceGrpc.newStub(channel("xds", "config"))
                .deltaAggregatedResources(new StreamObserver<>() {
                    @Override
                    public void onNext(DeltaDiscoveryResponse response) {
                        changed(() -> {
                            response.getResourcesList().forEach(it -> resources.put(key(response, it.getName()), it));
                            response.getRemovedResourcesList().forEach(name -> {
                                resources.remove(key(response, name));
                                everRemoved.add(name);
                            });
                        });
                        Objects.requireNonNull(requests.get())
                                .onNext(DeltaDiscoveryRequest.newBuilder()
                                        .setTypeUrl(response.getTypeUrl())
                                        .setResponseNonce(response.getNonce())
                                        .build());
                    }

                    @Override
                    public void onError(Throwable lost) {
                        changed(() -> ends.add(String.valueOf(lost.getMessage())));
                    }

                    @Override
                    public void onCompleted() {
                        changed(() -> ends.add("completed"));
                    }
                });
        requests.set(stream);
        boolean first = true;
        for (var type : names.entrySet()) {
            var request = DeltaDiscoveryRequest.newBuilder()
                    .setTypeUrl(type.getKey())
                    .addAllResourceNamesSubscribe(type.getValue());
            synchronized (this) {
                resources.forEach((key, resource) -> {
                    if (key.startsWith(type.getKey() + " ")) {
                        request.putInitialResourceVersions(resource.getName(), resource.getVersion());
                    }
                });
            }
            if (first) {
                request.setNode(node(claimedAccount));
                first = false;
            }
            stream.onNext(request.build());
        }
    }

    private Node node(String account) {
        return Node.newBuilder()
                .setId("sidecar~127.0.0.1~" + service + "-" + instance + ".default~default.svc.cluster.local")
                .setCluster(service)
                .setMetadata(Struct.newBuilder()
                        .putFields("NAME", text(service + "-" + instance))
                        .putFields("NAMESPACE", text("default"))
                        .putFields("SERVICE", text(service))
                        .putFields("SERVICE_ACCOUNT", text(account))
                        .putFields("APP_PORTS", text("8080")))
                .build();
    }

    private static Value text(String text) {
        return Value.newBuilder().setStringValue(text).build();
    }

    private static String key(DeltaDiscoveryResponse response, String name) {
        return response.getTypeUrl() + " " + name;
    }

    private synchronized void changed(Runnable change) {
        change.run();
        notifyAll();
    }

    /// Waits for a state of things that has a name.
    synchronized Sidecar await(String what, Predicate<Sidecar> reached) throws InterruptedException {
        long until = System.nanoTime() + PATIENCE.toNanos();
        while (!reached.test(this)) {
            long left = (until - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                throw new AssertionError("never " + what + "; holds " + resources.keySet() + ", ends " + ends
                        + ", registry " + registry);
            }
            wait(left);
        }
        return this;
    }

    synchronized List<String> ends() {
        return List.copyOf(ends);
    }

    synchronized Set<String> everRemoved() {
        return Set.copyOf(everRemoved);
    }

    synchronized List<EnrolResponse> registry() {
        return List.copyOf(registry);
    }

    /// As text, so that a test can say what it looks for.
    synchronized String resource(String typeUrl, String name) {
        var resource = resources.get(typeUrl + " " + name);
        return resource == null ? "" : resource.toString();
    }

    synchronized <M extends com.google.protobuf.Message> List<M> held(String typeUrl, String name, Class<M> type) {
        var resource = resources.get(typeUrl + " " + name);
        try {
            return resource == null ? List.of() : List.of(resource.getResource().unpack(type));
        } catch (com.google.protobuf.InvalidProtocolBufferException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        while (!open.isEmpty()) {
            open.pop().shutdownNow();
        }
    }
}
