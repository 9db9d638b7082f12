package dev.bodyguard.standalone;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.bodyguard.identity.client.Enrolment;
import dev.bodyguard.identity.client.LiveSvid;
import dev.bodyguard.identity.client.MeshChannel;
import dev.bodyguard.identity.service.ServerSvid;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.identity.spiffe.TrustBundle;
import dev.bodyguard.xds.client.AdsClient;
import dev.bodyguard.xds.client.Applied;
import dev.bodyguard.xds.client.Events;
import dev.bodyguard.xds.protocol.discovery.v1.Drain;
import dev.bodyguard.xds.protocol.discovery.v1.EnrolRequest;
import dev.bodyguard.xds.protocol.discovery.v1.EnrolResponse;
import dev.bodyguard.xds.protocol.discovery.v1.KeepAlive;
import dev.bodyguard.xds.protocol.discovery.v1.RegistryGrpc;
import dev.bodyguard.xds.protocol.discovery.v1.Workload;
import io.envoyproxy.envoy.config.core.v3.Node;
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
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// A sidecar as the control plane sees one: an SVID by join token, a registration, an ADS stream. On real sockets.
final class Sidecar implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Map<String, String> addresses;
    private final String name;
    private final String service;
    private final TrustBundle roots;
    private final Svid svid;
    private final Deque<Runnable> open = new ArrayDeque<>();

    // Guarded by this.
    private final Map<String, Resource> resources = new HashMap<>();
    private final List<Resource> received = new ArrayList<>();
    private final List<String> removed = new ArrayList<>();
    private final List<String> lost = new ArrayList<>();
    private int connected;

    /// Gets its SVID.
    Sidecar(Map<String, String> addresses, Path state, String service, String instance)
            throws IOException, InterruptedException, TimeoutException {
        this.addresses = addresses;
        this.name = service + "-" + instance;
        this.service = service;
        this.roots = TrustBundle.read("cluster.local", state.resolve("root.pem"));
        var enrolment = new Enrolment(
                SpiffeId.ofServiceAccount("cluster.local", "default", service),
                Enrolment.Token.in(state.resolve("join").resolve(service + ".token")),
                roots,
                Duration.ZERO,
                null);
        try (var live = LiveSvid.start(
                enrolment,
                () -> channel("identity", "identity", null),
                new dev.bodyguard.identity.client.Events() {},
                InstantSource.system())) {
            svid = live.await(PATIENCE);
        }
    }

    private ManagedChannel channel(String to, String account, @Nullable Svid own) {
        return new MeshChannel(
                        ServerSvid.id("cluster.local", account),
                        () -> roots,
                        () -> own,
                        _ -> {},
                        InstantSource.system())
                .to(Objects.requireNonNull(addresses.get(to), to))
                .build();
    }

    /// Follows config, as whoever it really is.
    void follow(Map<String, List<String>> names) {
        follow(names, "default", service);
    }

    /// Follows config, as whoever it says it is.
    void follow(Map<String, List<String>> names, String namespace, String account) {
        var client = new AdsClient(
                () -> channel("xds", "config", svid), node(namespace, account), this::apply, new Events() {
                    @Override
                    public void connected() {
                        changed(() -> connected++);
                    }

                    @Override
                    public void lost(String why, Duration retryIn) {
                        changed(() -> lost.add(why));
                    }
                });
        names.forEach(client::subscribe);
        client.start();
        open.push(client::close);
    }

    private Applied apply(String typeUrl, List<Resource> updated, List<String> gone) {
        changed(() -> {
            updated.forEach(resource -> resources.put(typeUrl + " " + resource.getName(), resource));
            gone.forEach(resource -> resources.remove(typeUrl + " " + resource));
            received.addAll(updated);
            removed.addAll(gone);
        });
        return Applied.all();
    }

    private Node node(String namespace, String account) {
        return Node.newBuilder()
                .setId("sidecar~127.0.0.1~" + name + "." + namespace + "~" + namespace + ".svc.cluster.local")
                .setCluster(service)
                .setMetadata(Struct.newBuilder()
                        .putFields("NAME", text(name))
                        .putFields("NAMESPACE", text(namespace))
                        .putFields("SERVICE", text(service))
                        .putFields("SERVICE_ACCOUNT", text(account))
                        .putFields("APP_PORTS", text("8080")))
                .build();
    }

    private static Value text(String text) {
        return Value.newBuilder().setStringValue(text).build();
    }

    /// Registers, as whoever it really is, and waits until that is heard.
    Registration enrol(String version, int port) throws InterruptedException {
        var registration = register(workload(version, port));
        registration.await("was admitted", it -> it.lease > 0);
        return registration;
    }

    /// Registers anything.
    Registration register(Workload workload) {
        var registration = new Registration(workload);
        open.push(registration::sever);
        return registration;
    }

    Workload workload(String version, int port) {
        return Workload.newBuilder()
                .setNamespace("default")
                .setName(name)
                .setService(service)
                .setServiceAccount(service)
                .putLabels("version", version)
                .setAddress("127.0.0.1")
                .putPorts(8080, port)
                .setMeshed(true)
                .build();
    }

    /// One stream to the registry.
    final class Registration implements StreamObserver<EnrolResponse> {
        private final ManagedChannel channel = channel("discovery", "discovery", svid);
        private final StreamObserver<EnrolRequest> requests =
                RegistryGrpc.newStub(channel).enrol(this);

        private final ScheduledExecutorService alarm = Executors.newSingleThreadScheduledExecutor(
                Thread.ofVirtual().name("keep-alive").factory());

        // Guarded by the sidecar.
        private int lease;
        private boolean drained;
        private @Nullable String end;

        private Registration(Workload workload) {
            say(EnrolRequest.newBuilder().setEnrol(workload));
            var alive = EnrolRequest.newBuilder().setKeepAlive(KeepAlive.getDefaultInstance());
            var _ = alarm.scheduleWithFixedDelay(() -> say(alive), 2, 2, TimeUnit.SECONDS);
        }

        private synchronized void say(EnrolRequest.Builder what) {
            requests.onNext(what.build());
        }

        void drain() throws InterruptedException {
            say(EnrolRequest.newBuilder().setDrain(Drain.getDefaultInstance()));
            await("heard that it is drained", it -> it.drained);
        }

        /// Why the stream ended.
        String end() throws InterruptedException {
            await("ended", it -> it.end != null);
            return Objects.requireNonNull(end);
        }

        private void await(String what, Predicate<Registration> reached) throws InterruptedException {
            Sidecar.this.await("registration " + what, _ -> reached.test(this));
        }

        @Override
        public void onNext(EnrolResponse response) {
            changed(() -> {
                lease = Math.max(lease, response.getLeaseMillis());
                drained |= response.getDrained();
            });
        }

        @Override
        public void onError(Throwable broken) {
            changed(() -> end = broken.getMessage());
        }

        @Override
        public void onCompleted() {
            changed(() -> end = "completed");
        }

        /// Breaks the connection without a word.
        void sever() {
            alarm.shutdownNow();
            channel.shutdownNow();
        }
    }

    private synchronized void changed(Runnable change) {
        change.run();
        notifyAll();
    }

    /// Waits for a state of things that has a name.
    synchronized void await(String what, Predicate<Sidecar> reached) throws InterruptedException {
        long until = System.nanoTime() + PATIENCE.toNanos();
        while (!reached.test(this)) {
            long left = (until - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                throw new AssertionError(
                        name + " never " + what + "; it holds " + resources.values() + " and lost its stream: " + lost);
            }
            wait(left);
        }
    }

    /// How often config began to answer.
    synchronized int connected() {
        return connected;
    }

    /// Why streams to config ended.
    synchronized List<String> lost() {
        return List.copyOf(lost);
    }

    /// What config ever said is gone.
    synchronized List<String> removed() {
        return List.copyOf(removed);
    }

    /// What is in force.
    synchronized <M extends Message> Optional<M> held(String typeUrl, String resource, Class<M> type) {
        return Optional.ofNullable(resources.get(typeUrl + " " + resource)).map(it -> unpack(it, type));
    }

    /// Every version that was ever in force, oldest first.
    synchronized <M extends Message> List<M> history(String resource, Class<M> type) {
        return received.stream()
                .filter(it -> it.getName().equals(resource) && it.getResource().is(type))
                .map(it -> unpack(it, type))
                .toList();
    }

    private static <M extends Message> M unpack(Resource resource, Class<M> type) {
        try {
            return resource.getResource().unpack(type);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        while (!open.isEmpty()) {
            open.pop().run();
        }
    }
}
