package dev.bodyguard.xds.server;

import static dev.bodyguard.xds.server.Followed.TYPE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.xds.server.GrpcServer.Transport;
import dev.bodyguard.xds.snapshot.DeltaSession;
import dev.bodyguard.xds.snapshot.Limits;
import dev.bodyguard.xds.snapshot.Snapshot;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a server does for one peer, and for all, has an end.
@Timeout(60)
class CapacityTest {
    private static final Peer ONE = new Peer(List.of("spiffe://cluster.local/ns/default/sa/one"), "/127.0.0.1:1");
    private static final Peer OTHER = new Peer(List.of("spiffe://cluster.local/ns/default/sa/other"), "/127.0.0.1:2");

    @Test
    void aPeerHasNoMoreThanItsPartAndTakesNothingFromOthers() {
        var quota = new Quota(2);

        assertThat(quota.take(ONE, 1)).isTrue();
        assertThat(quota.take(ONE, 2)).isFalse();
        assertThat(quota.take(ONE, 1)).isTrue();
        assertThat(quota.take(ONE, 1)).isFalse();
        assertThat(quota.take(OTHER, 2)).isTrue();
        quota.take(ONE, -1);
        assertThat(quota.take(ONE, 1)).isTrue();
    }

    @Test
    void peersThatProveNothingAreToldApartByTheirHosts() {
        var quota = new Quota(1);

        assertThat(quota.take(new Peer(List.of(), "/10.0.0.1:1"), 1)).isTrue();
        assertThat(quota.take(new Peer(List.of(), "/10.0.0.1:2"), 1)).isFalse();
        assertThat(quota.take(new Peer(List.of(), "/10.0.0.2:1"), 1)).isTrue();
    }

    @Test
    void aStreamTooManyIsRefusedWithASentenceUntilAnotherIsClosed() throws Exception {
        try (var served = new Served(Transport.NETTY, 0, new Capacity(10, 2, 10_000, 10_000), "a=1");
                var first = new Followed("first", served.channels());
                var second = new Followed("second", served.channels())) {
            for (var one : List.of(first, second)) {
                one.client.subscribe(TYPE, List.of("a"));
                assertThat(one.told()).isEqualTo("a=1");
            }
            try (var third = new Followed("third", served.channels())) {
                third.client.subscribe(TYPE, List.of("a"));

                assertThat(third.happened("lost: "))
                        .startsWith("lost: RESOURCE_EXHAUSTED: /127.0.0.1:")
                        .contains("has 2 streams already, the most that one peer may have; close some");
                assertThat(served.happened.stream().filter(it -> it.startsWith("refused")))
                        .first()
                        .asString()
                        .contains("has 2 streams already");
                second.client.close();
                assertThat(third.told()).isEqualTo("a=1");
            }
        }
    }

    @Test
    void namesOnAllStreamsOfAPeerAreCountedTogether() throws Exception {
        // Each name weighs 64 and its characters.
        try (var served =
                        new Served(Transport.NETTY, 0, new Capacity(10, 10, 200, 10_000), "a=1", "b=1", "c=1", "d=1");
                var first = new Followed("first", served.channels());
                var second = new Followed("second", served.channels())) {
            first.client.subscribe(TYPE, List.of("a", "b"));
            assertThat(first.told()).isEqualTo("a=1 b=1");

            second.client.subscribe(TYPE, List.of("c", "d"));
            assertThat(second.happened("lost: "))
                    .contains("RESOURCE_EXHAUSTED", "subscribed to more names on all its streams than one peer may be");
            first.client.unsubscribe(TYPE, List.of("a"));

            assertThat(second.told()).isEqualTo("c=1 d=1");
        }
    }

    @Test
    void whoAsksFasterThanItIsAnsweredIsHeldBackAndThatIsToldOnce() throws Exception {
        var looking = new CountDownLatch(1);
        var there = new NobodyThere();
        var told = new LinkedBlockingQueue<String>();
        var stream = new ServedStream<>(
                1,
                ONE,
                there,
                DeltaDiscoveryRequest::getNode,
                resources -> new DeltaSession(resources, Limits.ordinary()),
                (_, _) -> {
                    awaitQuietly(looking);
                    return new Views.Serve(Snapshot.empty());
                },
                new Events() {
                    @Override
                    public void heldBack(Client client, int waitingBytes) {
                        told.add(client.peer() + ": " + waitingBytes);
                    }
                },
                new Quota(1_000_000),
                new Capacity(1, 1, 1, 1_000),
                _ -> {});
        stream.start();
        var request = DeltaDiscoveryRequest.newBuilder()
                .setTypeUrl(TYPE)
                .addResourceNamesSubscribe("n".repeat(400 - TYPE.length() - 5))
                .build();
        var sent = new AtomicInteger();

        // One has been taken up; of the others three are as much as may wait.
        Await.until("the client is held back", () -> {
            while (sent.get() < there.asked.get()) {
                sent.incrementAndGet();
                stream.onNext(request);
            }
            return sent.get() == 4;
        });
        assertThat(there.asked).hasValue(4);
        assertThat(told).isEmpty();
        looking.countDown();

        Await.until("it may go on", () -> there.asked.get() == 5);
        assertThat(Await.next("a line", told)).isEqualTo(ONE + ": 1000");
        stream.end("enough");
        Await.until("it is over", there.over::get);
        assertThat(told).isEmpty();
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    /// A client that takes everything.
    private static final class NobodyThere extends ServerCallStreamObserver<DeltaDiscoveryResponse> {
        final AtomicInteger asked = new AtomicInteger();
        final AtomicBoolean over = new AtomicBoolean();

        @Override
        public boolean isCancelled() {
            return false;
        }

        @Override
        public void setOnCancelHandler(Runnable handler) {}

        @Override
        public void setCompression(String compression) {}

        @Override
        public boolean isReady() {
            return true;
        }

        @Override
        public void setOnReadyHandler(Runnable handler) {}

        @Override
        public void disableAutoRequest() {}

        @Override
        public void request(int count) {
            asked.addAndGet(count);
        }

        @Override
        public void setMessageCompression(boolean enable) {}

        @Override
        public void disableAutoInboundFlowControl() {}

        @Override
        public void onNext(DeltaDiscoveryResponse response) {}

        @Override
        public void onError(Throwable broken) {
            over.set(true);
        }

        @Override
        public void onCompleted() {}
    }
}
