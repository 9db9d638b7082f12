package dev.bodyguard.xds.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.StringValue;
import dev.bodyguard.xds.server.GrpcServer.Transport;
import dev.bodyguard.xds.snapshot.NamedResource;
import dev.bodyguard.xds.snapshot.Resources;
import dev.bodyguard.xds.snapshot.Snapshot;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.service.discovery.v3.AggregatedDiscoveryServiceGrpc;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The load that decides which transport is the default.
class ManyStreamsTest {
    private static final String TYPE = "type.googleapis.com/google.protobuf.StringValue";
    private static final int CONNECTIONS = 10;
    private static final int STREAMS = 300;
    private static final int PUSHES = 3;

    @ParameterizedTest
    @EnumSource(Transport.class)
    void everyStreamOfAMultiplexedConnectionReceivesEveryPush(Transport transport) throws Exception {
        var current = new AtomicReference<Resources>(generation(0));
        var discovery = new AggregatedDiscovery((_, _) -> new Views.Serve(current.get()), Events.none());
        try (var server = GrpcServer.startPlaintext(transport, "127.0.0.1", 0, List.of(discovery))) {
            var channels = new ArrayList<ManagedChannel>();
            var arrived = ConcurrentHashMap.<String>newKeySet();
            try {
                for (var i = 0; i < CONNECTIONS; i++) {
                    channels.add(NettyChannelBuilder.forAddress("127.0.0.1", server.port())
                            .usePlaintext()
                            .build());
                }
                for (var i = 0; i < STREAMS; i++) {
                    open(channels.get(i % CONNECTIONS), i, arrived);
                }
                Await.until("every stream's first response", () -> count(arrived, 0) == STREAMS);

                for (var push = 1; push <= PUSHES; push++) {
                    var wanted = push;
                    var began = System.nanoTime();
                    current.set(generation(push));
                    discovery.publish();
                    Await.until("push " + push + " on every stream", () -> count(arrived, wanted) == STREAMS);
                    System.out.printf(
                            "%s: push %d to %d streams in %d ms%n",
                            transport, push, STREAMS, (System.nanoTime() - began) / 1_000_000);
                }

                assertThat(discovery.clients()).hasSize(STREAMS);
            } finally {
                channels.forEach(ManagedChannel::shutdownNow);
            }
            if (transport == Transport.NETTY) {
                Await.until(
                        "the server noticing that all are gone",
                        () -> discovery.clients().isEmpty());
            }
        }
    }

    private static long count(ConcurrentHashMap.KeySetView<String, Boolean> arrived, int push) {
        return arrived.stream().filter(each -> each.endsWith("/" + push)).count();
    }

    /// 32 KiB that change every time.
    private static Snapshot generation(int push) {
        var resources = new ArrayList<NamedResource>();
        for (var i = 0; i < 32; i++) {
            resources.add(NamedResource.of("r" + i, StringValue.of(push + "-" + "x".repeat(1_000))));
        }
        return Snapshot.of(String.valueOf(push), resources);
    }

    private static void open(
            ManagedChannel channel, int number, ConcurrentHashMap.KeySetView<String, Boolean> arrived) {
        var requests = new AtomicReference<StreamObserver<DeltaDiscoveryRequest>>();
        requests.set(AggregatedDiscoveryServiceGrpc.newStub(channel).deltaAggregatedResources(new StreamObserver<>() {
            @Override
            public void onNext(DeltaDiscoveryResponse response) {
                arrived.add(number + "/" + response.getSystemVersionInfo());
                requests.get()
                        .onNext(DeltaDiscoveryRequest.newBuilder()
                                .setTypeUrl(TYPE)
                                .setResponseNonce(response.getNonce())
                                .build());
            }

            @Override
            public void onError(Throwable lost) {
                arrived.add(number + " lost: " + lost);
            }

            @Override
            public void onCompleted() {}
        }));
        requests.get()
                .onNext(DeltaDiscoveryRequest.newBuilder()
                        .setNode(Node.newBuilder().setId("n" + number))
                        .setTypeUrl(TYPE)
                        .addResourceNamesSubscribe("*")
                        .build());
    }
}
