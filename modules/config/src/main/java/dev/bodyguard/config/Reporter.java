package dev.bodyguard.config;

import dev.bodyguard.xds.protocol.discovery.v1.TellRequest;
import dev.bodyguard.xds.protocol.discovery.v1.TellResponse;
import dev.bodyguard.xds.protocol.discovery.v1.Verdict;
import dev.bodyguard.xds.protocol.discovery.v1.VerdictsGrpc;
import dev.bodyguard.xds.server.ClientState;
import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Tells discovery how documents fare, so that it can be written where their authors look: everything on a new stream,
/// then once a second what has changed. Only documents of an API server have such a place.
final class Reporter implements AutoCloseable {
    private static final Duration EVERY = Duration.ofSeconds(1);
    private static final Duration AFTER_LOSS = Duration.ofSeconds(3);
    private static final int IN_ONE_MESSAGE = 200;
    private static final int LONGEST = 1_000;

    private final Supplier<ManagedChannel> channels;
    private final Supplier<List<Standing>> standings;
    private final Supplier<List<ClientState>> proxies;
    private final Thread thread = Thread.ofVirtual().name("config-reporter").unstarted(this::run);

    private Reporter(
            Supplier<ManagedChannel> channels,
            Supplier<List<Standing>> standings,
            Supplier<List<ClientState>> proxies) {
        this.channels = channels;
        this.standings = standings;
        this.proxies = proxies;
    }

    static Reporter start(
            Supplier<ManagedChannel> channels,
            Supplier<List<Standing>> standings,
            Supplier<List<ClientState>> proxies) {
        var reporter = new Reporter(channels, standings, proxies);
        reporter.thread.start();
        return reporter;
    }

    @Override
    public void close() {
        thread.interrupt();
    }

    private void run() {
        try {
            while (true) {
                // A mesh of files needs no connection for this.
                while (standings.get().isEmpty()) {
                    Thread.sleep(EVERY);
                }
                var channel = channels.get();
                try {
                    report(channel);
                } finally {
                    channel.shutdownNow();
                }
                Thread.sleep(AFTER_LOSS);
            }
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
    }

    /// Until the stream is over; that discovery is lost is told by whoever follows it.
    private void report(ManagedChannel channel) throws InterruptedException {
        var stream = new Stream();
        var _ = VerdictsGrpc.newStub(channel).tell(stream);
        Map<String, Verdict> told = new HashMap<>();
        while (!stream.over.await(EVERY.toMillis(), TimeUnit.MILLISECONDS)) {
            var requests = stream.requests;
            if (requests == null || !requests.isReady()) {
                continue;
            }
            var now = verdicts(standings.get(), proxies.get());
            told.keySet().retainAll(now.keySet());
            var news = new ArrayList<>(now.values());
            news.removeIf(verdict -> verdict.equals(told.get(verdict.getDocument())));
            for (int i = 0; i < news.size(); i += IN_ONE_MESSAGE) {
                requests.onNext(TellRequest.newBuilder()
                        .addAllVerdicts(news.subList(i, Math.min(news.size(), i + IN_ONE_MESSAGE)))
                        .build());
            }
            told.putAll(now);
        }
    }

    static Map<String, Verdict> verdicts(List<Standing> standings, List<ClientState> proxies) {
        var all = new HashMap<String, Verdict>();
        for (var standing : standings) {
            var document = standing.document();
            long inForce = proxies.stream()
                    .filter(proxy -> proxy.inForce() && number(proxy.offered()) >= standing.since())
                    .count();
            all.put(
                    document.key(),
                    Verdict.newBuilder()
                            .setDocument(document.key())
                            .setGeneration(document.generation())
                            .setAccepted(standing.accepted())
                            .setWhy(cut(standing.why()))
                            .setOverridden(cut(standing.overridden()))
                            .setInForce((int) inForce)
                            .setProxies(proxies.size())
                            .build());
        }
        return all;
    }

    private static long number(String generation) {
        return generation.matches("[0-9]{1,18}") ? Long.parseLong(generation) : 0;
    }

    private static String cut(String text) {
        return text.length() <= LONGEST ? text : text.substring(0, LONGEST - 1) + "…";
    }

    private static final class Stream implements ClientResponseObserver<TellRequest, TellResponse> {
        private final CountDownLatch over = new CountDownLatch(1);
        private volatile @Nullable ClientCallStreamObserver<TellRequest> requests;

        @Override
        public void beforeStart(ClientCallStreamObserver<TellRequest> started) {
            requests = started;
        }

        @Override
        public void onNext(TellResponse nothing) {}

        @Override
        public void onError(Throwable lost) {
            over.countDown();
        }

        @Override
        public void onCompleted() {
            over.countDown();
        }
    }
}
