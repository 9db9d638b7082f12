package dev.bodyguard.samples.xds;

import static org.assertj.core.api.Assertions.assertThat;

import io.envoyproxy.envoy.service.discovery.v3.AggregatedDiscoveryServiceGrpc;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.envoyproxy.envoy.service.discovery.v3.Resource;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class ServeTest {
    @Test
    void anXdsClientIsToldOfEveryCluster() throws Exception {
        BlockingQueue<DeltaDiscoveryResponse> answers = new LinkedBlockingQueue<>();
        try (var server = Serve.serve(0, List.of("payments", "website"))) {
            var channel = Grpc.newChannelBuilder("127.0.0.1:" + server.port(), InsecureChannelCredentials.create())
                    .build();
            try {
                AggregatedDiscoveryServiceGrpc.newStub(channel)
                        .deltaAggregatedResources(new Heard(answers))
                        .onNext(DeltaDiscoveryRequest.newBuilder()
                                .setTypeUrl("type.googleapis.com/envoy.config.cluster.v3.Cluster")
                                .addResourceNamesSubscribe("*")
                                .build());

                assertThat(answers.poll(20, TimeUnit.SECONDS))
                        .satisfies(answer -> assertThat(answer.getResourcesList())
                                .extracting(Resource::getName)
                                .containsExactlyInAnyOrder("payments", "website"));
            } finally {
                channel.shutdownNow();
            }
        }
    }

    private record Heard(BlockingQueue<DeltaDiscoveryResponse> answers)
            implements StreamObserver<DeltaDiscoveryResponse> {
        @Override
        public void onNext(DeltaDiscoveryResponse answer) {
            answers.add(answer);
        }

        @Override
        public void onError(Throwable lost) {}

        @Override
        public void onCompleted() {}
    }
}
