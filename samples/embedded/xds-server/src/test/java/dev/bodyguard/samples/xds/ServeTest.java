package dev.bodyguard.samples.xds;

import static org.assertj.core.api.Assertions.assertThat;

import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.service.discovery.v3.AggregatedDiscoveryServiceGrpc;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse;
import io.envoyproxy.envoy.service.discovery.v3.Resource;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The sample as its reader starts it: a process of its own.
@Timeout(60)
final class ServeTest {
    private static final String CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster";

    private Process process;
    private ManagedChannel channel;

    @BeforeEach
    void start() throws IOException {
        process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-p",
                        System.getProperty("jdk.module.path"),
                        "-cp",
                        System.getProperty("java.class.path"),
                        "--add-modules",
                        "ALL-MODULE-PATH",
                        "-m",
                        "dev.bodyguard.samples.xds/dev.bodyguard.samples.xds.Serve",
                        "0",
                        "payments",
                        "website")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        var said = process.inputReader(StandardCharsets.UTF_8).readLine();
        assertThat(said).matches("serving on [0-9]+");
        channel = Grpc.newChannelBuilder(
                        "127.0.0.1:" + said.substring("serving on ".length()), InsecureChannelCredentials.create())
                .build();
    }

    @AfterEach
    void stop() {
        if (channel != null) {
            channel.shutdownNow();
        }
        process.destroyForcibly().onExit().join();
    }

    @Test
    void anXdsClientIsToldOfEveryClusterByDelta() throws Exception {
        var heard = new Heard<DeltaDiscoveryResponse>(new LinkedBlockingQueue<>());

        AggregatedDiscoveryServiceGrpc.newStub(channel)
                .deltaAggregatedResources(heard)
                .onNext(DeltaDiscoveryRequest.newBuilder()
                        .setTypeUrl(CLUSTER)
                        .addResourceNamesSubscribe("*")
                        .build());

        assertThat(heard.next().getResourcesList())
                .extracting(Resource::getName)
                .containsExactlyInAnyOrder("payments", "website");
    }

    @Test
    void anXdsClientIsToldOfEveryClusterByStateOfTheWorld() throws Exception {
        var heard = new Heard<DiscoveryResponse>(new LinkedBlockingQueue<>());

        AggregatedDiscoveryServiceGrpc.newStub(channel)
                .streamAggregatedResources(heard)
                .onNext(DiscoveryRequest.newBuilder().setTypeUrl(CLUSTER).build());

        assertThat(heard.next().getResourcesList())
                .extracting(one -> one.unpack(Cluster.class).getName())
                .containsExactlyInAnyOrder("payments", "website");
    }

    private record Heard<R>(BlockingQueue<R> answers) implements StreamObserver<R> {
        R next() throws InterruptedException {
            var answer = answers.poll(20, TimeUnit.SECONDS);
            assertThat(answer).as("an answer within 20 s").isNotNull();
            return answer;
        }

        @Override
        public void onNext(R answer) {
            answers.add(answer);
        }

        @Override
        public void onError(Throwable lost) {}

        @Override
        public void onCompleted() {}
    }
}
