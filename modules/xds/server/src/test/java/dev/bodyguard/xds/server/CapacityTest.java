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
import java.util.stream.Stream;
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
        var names =
                Stream.of("a", "b", "c", "d").map(name -> name.repeat(1_000)).toList();
        var resources = names.stream().map(name -> name + "=1").toArray(String[]::new);
        // Three names and what goes with them fit in, four do not.
        try (var served = new Served(Transport.NETTY, 0, new Capacity(10, 10, 4_300, 10_000), resources);
                var first = new Followed("first", served.channels());
                var second = new Followed("second", served.channels())) {
            first.client.subscribe(TYPE, names.subList(0, 2));
            assertThat(first.told()).isEqualTo(resources[0] + " " + resources[1]);

            second.client.subscribe(TYPE, names.subList(2, 4));
            assertThat(second.happened("lost: "))
                    .contains("RESOURCE_EXHAUSTED", "subscribed to more names on all its streams than one peer may be");
            first.client.unsubscribe(TYPE, names.subList(0, 1));

            assertThat(second.told()).isEqualTo(resources[2] + " " + resources[3]);
        }
    }

    @Test
    void whoAsksFasterThanItIsAnsweredIsHeldBackAndThatIsToldOnce() throws Exception {
        var looking = new CountDownLatch(1);
        var there = new NobodyThere();
        var told = new LinkedBlockingQueue<String>();
        // A request costs its bytes and 256.
        var stream = stream(there, looking, new Quota(1_000_000), 1_900, told);
        var request = DeltaDiscoveryRequest.newBuilder()
                .setTypeUrl(TYPE)
                .addResourceNamesSubscribe("n".repeat(400 - TYPE.length() - 5))
                .build();

        // One has been taken up; of the others three are as much as may wait.
        Await.until("the client is held back", () -> there.sendsWhatItMay(stream, request) == 4);
        assertThat(there.asked).hasValue(4);
        assertThat(told).isEmpty();
        looking.countDown();

        Await.until("it may go on", () -> there.asked.get() == 5);
        assertThat(Await.next("a line", told)).isEqualTo("held back at 1900");
        stream.end("enough");
        Await.until("it is over", there.over::get);
        assertThat(told).isEmpty();
    }

    @Test
    void aFloodOfEmptyRequestsIsHeldBackToo() throws Exception {
        var looking = new CountDownLatch(1);
        var there = new NobodyThere();
        var stream = stream(there, looking, new Quota(1_000_000), 2_560, new LinkedBlockingQueue<>());

        Await.until(
                "the client is held back",
                () -> there.sendsWhatItMay(stream, DeltaDiscoveryRequest.getDefaultInstance()) == 11);

        assertThat(there.asked).hasValue(11);
        looking.countDown();
        Await.until("it is over", there.over::get);
    }

    @Test
    void whatWaitsOnAllStreamsOfAPeerIsCountedTogether() throws Exception {
        var looking = new CountDownLatch(1);
        var quota = new Quota(3_000);
        var told = new LinkedBlockingQueue<String>();
        var request = DeltaDiscoveryRequest.newBuilder()
                .setTypeUrl(TYPE)
                .addResourceNamesSubscribe("n".repeat(1_000))
                .build();
        var first = new NobodyThere();
        var one = stream(first, looking, quota, 10_000, told);
        var second = new NobodyThere();
        var other = stream(second, looking, quota, 10_000, told);

        one.onNext(request);
        Await.until("the first is looked at", () -> quota.take(ONE, 3_000));
        quota.take(ONE, -3_000);
        one.onNext(request);
        other.onNext(request);
        Await.until("the second is looked at", () -> quota.take(ONE, 1_500));
        quota.take(ONE, -1_500);
        other.onNext(request);
        other.onNext(request);

        assertThat(Await.next("a line", told))
                .startsWith("refused: " + ONE + " is subscribed to more names on all its streams than one peer may be");
        looking.countDown();
        Await.until("it is over", second.over::get);
        one.end("enough");
        Await.until("everything was given back", () -> quota.take(ONE, 3_000));
    }

    /// As Helidon does it, which does not tell that the connection broke.
    @Test
    void aClientThatTurnsOutToBeGoneWhenItIsWrittenToGivesBackWhatItHad() throws Exception {
        var quota = new Quota(3_000);
        var gone = new NobodyThere() {
            @Override
            public void onNext(DeltaDiscoveryResponse response) {
                throw new IllegalStateException("Engine is closed");
            }
        };
        var stream = stream(gone, new CountDownLatch(0), quota, 10_000, new LinkedBlockingQueue<>());

        stream.onNext(DeltaDiscoveryRequest.newBuilder()
                .setTypeUrl(TYPE)
                .addResourceNamesSubscribe("n".repeat(1_000))
                .build());

        Await.until("it is over", gone.over::get);
        Await.until("everything was given back", () -> quota.take(ONE, 3_000));
    }

    /// A stream that looks at its first request until it is let go.
    private static ServedStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse> stream(
            NobodyThere there,
            CountDownLatch looking,
            Quota quota,
            int waitingBytes,
            LinkedBlockingQueue<String> told) {
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
                        told.add("held back at " + waitingBytes);
                    }

                    @Override
                    public void refused(Client client, String why) {
                        told.add("refused: " + why);
                    }
                },
                quota,
                new Capacity(1, 1, 1, waitingBytes),
                _ -> {});
        stream.start();
        return stream;
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    /// A client that takes everything.
    private static class NobodyThere extends ServerCallStreamObserver<DeltaDiscoveryResponse> {
        final AtomicInteger asked = new AtomicInteger();
        final AtomicBoolean over = new AtomicBoolean();
        private int sent;

        /// Sends as long as it is asked for more.
        ///
        /// @return how often it has sent
        int sendsWhatItMay(ServedStream<DeltaDiscoveryRequest, ?> stream, DeltaDiscoveryRequest request) {
            while (sent < asked.get()) {
                sent++;
                stream.onNext(request);
            }
            return sent;
        }

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
