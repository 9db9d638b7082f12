package dev.bodyguard.xds.server;

import static dev.bodyguard.xds.server.Followed.TYPE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bodyguard.xds.server.GrpcServer.Transport;
import dev.bodyguard.xds.server.ServerTls.ClientCertificates;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.service.discovery.v3.AggregatedDiscoveryServiceGrpc;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.util.AdvancedTlsX509KeyManager;
import io.grpc.util.AdvancedTlsX509TrustManager;
import io.grpc.util.AdvancedTlsX509TrustManager.Verification;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Our server and our client on real sockets.
class FollowingTest {
    @ParameterizedTest
    @EnumSource(Transport.class)
    void aClientIsToldWhatItAskedForAndWhatBecomesOfIt(Transport transport) throws Exception {
        try (var served = new Served(transport, 0, "a=1", "b=1");
                var followed = new Followed("node", served.channels())) {
            followed.client.subscribe(TYPE, List.of("a"));
            assertThat(followed.told()).isEqualTo("a=1");

            // Late, and one of them unknown.
            followed.client.subscribe(TYPE, List.of("b", "ghost"));
            assertThat(followed.told()).isEqualTo("b=1 -ghost");

            served.publish("a=1", "b=2", "c=1");
            assertThat(followed.told()).isEqualTo("b=2");

            served.publish("a=1", "ghost=1");
            assertThat(followed.told()).isEqualTo("ghost=1 -b");

            followed.client.unsubscribe(TYPE, List.of("a"));
            followed.client.subscribe(TYPE, List.of("mark"));
            assertThat(followed.told()).isEqualTo("-mark");
            served.publish("a=2", "ghost=2");
            assertThat(followed.told()).isEqualTo("ghost=2");

            followed.client.subscribeToAll(TYPE);
            assertThat(followed.told()).isEqualTo("a=2");
            Await.until(
                    "everything acknowledged",
                    () -> served.discovery.clients().stream().allMatch(ClientState::inForce));
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void whatIsInvalidIsNamedAndTheRestIsInForce(Transport transport) throws Exception {
        try (var served = new Served(transport, 0, "a=1", "b=bad");
                var followed = new Followed("node", served.channels())) {
            followed.client.subscribeToAll(TYPE);

            assertThat(followed.told()).isEqualTo("a=1 b=bad");
            assertThat(followed.happened("nacked")).isEqualTo("nacked: {b=is bad}");
            assertThat(served.happened()).isEqualTo("connected node[]");
            assertThat(served.happened()).isEqualTo("nacked [b] b: is bad");
            var state = served.discovery.clients().getFirst();
            assertThat(state.refused().get(TYPE)).isEqualTo(java.util.Map.of("b", "is bad"));
            assertThat(state.answers()).isEqualTo(java.util.Map.of(TYPE, new ClientState.Answers(0, 1)));
            assertThat(state.inForce()).isFalse();

            served.publish("a=1", "b=good");
            assertThat(followed.told()).isEqualTo("b=good");
            assertThat(served.happened()).isEqualTo("acked a=1 b=good");
            assertThat(served.discovery.clients().getFirst().answers())
                    .isEqualTo(java.util.Map.of(TYPE, new ClientState.Answers(1, 1)));
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void comesBackToARestartedServerAndIsSentOnlyWhatChanged(Transport transport) throws Exception {
        var first = new Served(transport, 0, "a=1", "b=1", "c=1");
        var port = first.server.port();
        try (var followed = new Followed("node", first.channels())) {
            followed.client.subscribeToAll(TYPE);
            followed.client.subscribe("type.googleapis.com/other", List.of("x"));
            assertThat(followed.told()).isEqualTo("a=1 b=1 c=1");
            assertThat(followed.told()).isEqualTo("-x");
            first.close();
            followed.happened("lost");
            // Asked for while there is nobody to ask.
            followed.client.subscribe("type.googleapis.com/other", List.of("y"));
            followed.happened("lost");

            try (var second = new Served(transport, port, "a=1", "b=2")) {
                followed.happened("connected");
                assertThat(followed.told()).isEqualTo("b=2 -c");
                assertThat(followed.told()).isEqualTo("-x -y");

                second.publish("a=2", "b=2");
                assertThat(followed.told()).isEqualTo("a=2");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void aRefusedClientReadsWhy(Transport transport) throws Exception {
        try (var served = new Served(transport, 0, "a=1");
                var followed = new Followed("node", served.channels())) {
            followed.client.subscribe(TYPE, List.of("a"));
            assertThat(followed.told()).isEqualTo("a=1");

            served.refuse("node is not known here");

            assertThat(followed.happened("lost")).isEqualTo("lost: PERMISSION_DENIED: node is not known here");
            assertThat(followed.happened("lost")).isEqualTo("lost: PERMISSION_DENIED: node is not known here");
            served.refuse("");
            followed.happened("connected");
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void aBatchOfManyResponsesIsAppliedAtOnce(Transport transport) throws Exception {
        var large = IntStream.range(0, 40)
                .mapToObj(i -> "r%02d=%s".formatted(i, "x".repeat(100_000)))
                .toArray(String[]::new);
        try (var served = new Served(transport, 0, large);
                var followed = new Followed("node", served.channels())) {
            followed.client.subscribeToAll(TYPE);

            assertThat(followed.told().split(" ")).hasSize(40);
            Await.until(
                    "every part acknowledged",
                    () -> served.discovery.clients().stream().allMatch(ClientState::inForce));
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void aClientThatDoesNotReadDelaysNobody(Transport transport) throws Exception {
        try (var served = new Served(transport, 0, "a=0");
                var followed = new Followed("reader", served.channels())) {
            followed.client.subscribeToAll(TYPE);
            assertThat(followed.told()).isEqualTo("a=0");
            var sleeping = served.channels().get();
            try {
                ClientCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse> call = sleeping.newCall(
                        AggregatedDiscoveryServiceGrpc.getDeltaAggregatedResourcesMethod(), CallOptions.DEFAULT);
                call.start(new ClientCall.Listener<>() {}, new Metadata());
                call.sendMessage(DeltaDiscoveryRequest.newBuilder()
                        .setNode(Node.newBuilder().setId("sleeper"))
                        .setTypeUrl(TYPE)
                        .build());
                Await.until(
                        "the sleeper's stream", () -> served.discovery.clients().size() == 2);

                for (var push = 1; push <= 30; push++) {
                    served.publish("a=" + push + "x".repeat(200_000));
                    assertThat(followed.told()).startsWith("a=(");
                }
            } finally {
                sleeping.shutdownNow();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void aClientOfTheOlderProtocolIsServedToo(Transport transport) throws Exception {
        var told = new LinkedBlockingQueue<DiscoveryResponse>();
        try (var served = new Served(transport, 0, "a=1", "b=1")) {
            var channel = served.channels().get();
            try {
                ClientCall<DiscoveryRequest, DiscoveryResponse> call = channel.newCall(
                        AggregatedDiscoveryServiceGrpc.getStreamAggregatedResourcesMethod(), CallOptions.DEFAULT);
                call.start(
                        new ClientCall.Listener<>() {
                            @Override
                            public void onMessage(DiscoveryResponse response) {
                                told.add(response);
                            }
                        },
                        new Metadata());
                call.request(10);
                call.sendMessage(DiscoveryRequest.newBuilder()
                        .setNode(Node.newBuilder().setId("old"))
                        .setTypeUrl(TYPE)
                        .build());
                assertThat(Await.next("the first response", told).getResourcesCount())
                        .isEqualTo(2);

                served.publish("a=1", "b=2", "c=1");

                assertThat(Await.next("the second response", told).getResourcesCount())
                        .isEqualTo(3);
            } finally {
                channel.shutdownNow();
            }
        }
    }

    @Test
    void aClientThatVanishesIsNoticed() throws Exception {
        try (var served = new Served(Transport.NETTY, 0, "a=1")) {
            try (var followed = new Followed("node", served.channels())) {
                followed.client.subscribeToAll(TYPE);
                followed.told();
                assertThat(served.happened()).isEqualTo("connected node[]");
                assertThat(served.happened()).isEqualTo("acked a=1");
            }
            assertThat(served.happened()).isEqualTo("disconnected node");
            assertThat(served.discovery.clients()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void thePeerIsWhoItsCertificateSaysAndTheServersOwnIsExchangedLive(Transport transport) throws Exception {
        var root = Certificates.root();
        var otherRoot = Certificates.root();
        try (var served = new Served(transport, tls(root, "spiffe://cluster.local/ns/b/sa/config"), "a=1")) {
            var leaf = root.leaf("spiffe://cluster.local/ns/d/sa/x");
            try (var followed = new Followed("one", mutual(served, root, leaf))) {
                followed.client.subscribeToAll(TYPE);
                assertThat(followed.told()).isEqualTo("a=1");
                assertThat(served.happened()).isEqualTo("connected one[spiffe://cluster.local/ns/d/sa/x]");
                assertThat(served.discovery.clients())
                        .singleElement()
                        .extracting(one -> one.client().peer().life())
                        .isEqualTo(new Peer.Life(
                                leaf.certificate().getNotBefore().toInstant(),
                                leaf.certificate().getNotAfter().toInstant()));

                served.server.reloadTls(tls(otherRoot, "spiffe://cluster.local/ns/b/sa/config"));

                // The connection that was there stays.
                served.publish("a=2");
                assertThat(followed.told()).isEqualTo("a=2");
            }
            try (var stranger =
                            new Followed("old", mutual(served, root, root.leaf("spiffe://cluster.local/ns/d/sa/y")));
                    var followed = new Followed(
                            "two", mutual(served, otherRoot, otherRoot.leaf("spiffe://cluster.local/ns/d/sa/z")))) {
                followed.client.subscribeToAll(TYPE);
                assertThat(followed.told()).isEqualTo("a=2");
                stranger.client.subscribeToAll(TYPE);
                assertThat(stranger.happened("lost")).contains("UNAVAILABLE");
                assertThat(stranger.told).isEmpty();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void aPortInUseIsNamed(Transport transport) throws Exception {
        try (var served = new Served(transport, 0)) {
            var port = served.server.port();

            assertThatThrownBy(() -> new Served(transport, port))
                    .isInstanceOf(IOException.class)
                    .hasMessageStartingWith("cannot listen on 127.0.0.1:" + port + ": ");
        }
    }

    private static ServerTls tls(Certificates root, String uri) {
        var leaf = root.leaf(uri);
        return new ServerTls(
                leaf.key(), List.of(leaf.certificate()), List.of(root.certificate()), ClientCertificates.REQUIRED);
    }

    private static java.util.function.Supplier<ManagedChannel> mutual(
            Served served, Certificates root, Certificates leaf) throws GeneralSecurityException, IOException {
        var keys = new AdvancedTlsX509KeyManager();
        keys.updateIdentityCredentials(new X509Certificate[] {leaf.certificate()}, leaf.key());
        var roots = AdvancedTlsX509TrustManager.newBuilder()
                .setVerification(Verification.CERTIFICATE_ONLY_VERIFICATION)
                .build();
        roots.updateTrustCredentials(new X509Certificate[] {root.certificate()});
        var credentials = TlsChannelCredentials.newBuilder()
                .keyManager(keys)
                .trustManager(roots)
                .build();
        return () -> NettyChannelBuilder.forAddress("127.0.0.1", served.server.port(), credentials)
                .build();
    }

    @Test
    @Execution(ExecutionMode.CONCURRENT) // it waits
    void whereNobodyListensItTriesTwiceASecond() throws Exception {
        int port;
        try (var probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = probe.getLocalPort();
        }
        try (var alone = new Followed("alone", Served.channels(port))) {
            for (int i = 0; i < 8; i++) {
                assertThat(Await.next("the next pause", alone.pauses)).isLessThanOrEqualTo(Duration.ofMillis(500));
            }
        }
    }
}
