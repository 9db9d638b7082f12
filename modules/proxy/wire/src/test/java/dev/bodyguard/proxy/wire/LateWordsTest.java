package dev.bodyguard.proxy.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.bodyguard.proxy.engine.Transport;
import io.netty.buffer.ByteBuf;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a server says to a client of HTTP/2 that reads slowly, has gone away, or has nothing more to hear.
@Timeout(60)
class LateWordsTest {
    private static final int LAST = Frames.END_HEADERS | Frames.END_STREAM;
    private static final int HEADER_TABLE_SIZE = 1;
    private static final int MAX_CONCURRENT_STREAMS = 3;
    private static final int MAX_HEADER_LIST_SIZE = 6;
    private static final int FLOW_CONTROL_ERROR = 3;
    private static final int STREAM_CLOSED = 5;
    private static final int CANCEL = 8;

    private final Rig rig = new Rig();
    private ServerSocket server = open();

    @BeforeEach
    void listen() throws IOException {
        server.setSoTimeout(30_000);
    }

    @AfterEach
    void close() throws IOException, InterruptedException {
        rig.close();
        server.close();
        rig.leaksNothing();
    }

    // -- to a reader that is slow

    @Test
    void keepsAWindowOfTinyFramesAsFewChunks() throws Exception {
        var reading = ask("GET");
        try (var peer = accept()) {
            int stream = begin(peer, reading);
            reading.pause();
            var burst = new ByteArrayOutputStream();
            for (int i = 0; i < 20_000; i++) {
                burst.writeBytes(Frames.frame(Frames.DATA, 0, stream, (byte) 'a'));
            }
            burst.writeBytes(Frames.frame(Frames.DATA, Frames.END_STREAM, stream));
            peer.write(burst.toByteArray());
            heardUntilHere(peer);

            reading.resume();

            assertThat(reading.next()).isEqualTo("end");
            assertThat(reading.bytes).isEqualTo(20_000);
            assertThat(reading.chunks).isLessThan(20);
        }
    }

    @Test
    void endsAConnectionOnWhichMoreComesThanItAllows() throws Exception {
        var reading = ask("GET");
        try (var peer = accept()) {
            int stream = begin(peer, reading);
            reading.pause();
            for (int i = 0; i < 17; i++) {
                peer.write(Frames.DATA, 0, stream, new byte[16_384]);
            }

            assertThat(peer.next(Frames.GOAWAY).number(4)).isEqualTo(FLOW_CONTROL_ERROR);
            peer.readToEnd();
            assertThat(reading.next()).startsWith("Closed: ").contains("it breaks HTTP/2's rules: ");
        }
    }

    @Test
    void keepsAWholeAnswerThoughItsRequestIsNotWanted() throws Exception {
        var reading = ask("POST");
        try (var peer = accept()) {
            int stream = begin(peer, reading);
            reading.pause();
            peer.write(Frames.DATA, Frames.END_STREAM, stream, (byte) 'a');
            peer.write(Frames.RESET, 0, stream, new byte[4]);
            heardUntilHere(peer);

            reading.resume();

            assertThat(reading.next()).isEqualTo("end");
            assertThat(reading.bytes).isOne();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "POST"})
    void keepsAWholeAnswerThoughItsConnectionEnds(String method) throws Exception {
        var reading = ask(method);
        try (var peer = accept()) {
            int stream = begin(peer, reading);
            reading.pause();
            peer.write(Frames.DATA, 0, stream, (byte) 'a');
            peer.write(Frames.HEADERS, LAST, stream, Frames.fields("x-sum", "1"));
            peer.end();
            peer.readToEnd();
        }

        reading.resume();

        assertThat(reading.next()).isEqualTo("trailers");
        assertThat(reading.bytes).isOne();
    }

    @Test
    void givesUpWhatItKeepsOfAnAnswerThatTurnsOutToBeBroken() throws Exception {
        var reading = ask("GET");
        try (var peer = accept()) {
            int stream = begin(peer, reading);
            reading.pause();
            peer.write(Frames.DATA, 0, stream, new byte[5_000]);
            peer.write(Frames.HEADERS, LAST, stream, Frames.fields(":status", "200"));

            assertThat(reading.next()).startsWith("Malformed: ").contains("Pseudo-Header in trailers");
            assertThat(reading.bytes).isZero();
        }
    }

    // -- to one that has gone away

    @Test
    void readsOverWhatWasOnItsWayToAStreamThatIsNoMore() throws Exception {
        var reading = ask("GET");
        try (var peer = accept()) {
            int gone = begin(peer, reading);
            reading.cancel();
            assertThat(peer.next(Frames.RESET).number(0)).isEqualTo(CANCEL);
            var burst = new ByteArrayOutputStream();
            for (int i = 0; i < 3 * Limits.DEFAULTS.resetsPerSecond(); i++) {
                burst.writeBytes(Frames.frame(Frames.DATA, 0, gone, (byte) 'a'));
            }
            burst.writeBytes(Frames.frame(Frames.HEADERS, LAST, gone, Frames.fields("x-sum", "1")));
            burst.writeBytes(Frames.frame(Frames.WINDOW_UPDATE, 0, gone, new byte[] {0, 0, 0, 1}));
            burst.writeBytes(Frames.frame(Frames.RESET, 0, gone, new byte[4]));
            peer.write(burst.toByteArray());

            var next = ask("GET");
            Frames.Frame frame;
            do {
                frame = Objects.requireNonNull(peer.read());
                assertThat(frame.type()).isNotIn(Frames.RESET, Frames.GOAWAY);
            } while (frame.type() != Frames.HEADERS);
            peer.write(Frames.HEADERS, LAST, gone + 2, Frames.OK);
            assertThat(next.next()).isEqualTo("head 200 last");
        }
    }

    /// 3 MiB, and a connection's window is of 2 MiB.
    @Test
    void givesBackTheCreditOfWhatNobodyReads() throws Exception {
        var reading = ask("GET");
        try (var peer = accept()) {
            int gone = begin(peer, reading);
            reading.cancel();
            peer.next(Frames.RESET);
            for (int i = 0; i < 192; i++) {
                peer.write(Frames.DATA, 0, gone, new byte[16_384]);
                if (i % 32 == 31) {
                    heardUntilHere(peer);
                }
            }

            var next = ask("GET");
            peer.write(Frames.HEADERS, LAST, peer.next(Frames.HEADERS).stream(), Frames.OK);
            assertThat(next.next()).isEqualTo("head 200 last");
        }
    }

    // -- where there is nothing more to say

    @ParameterizedTest
    @ValueSource(ints = {Frames.DATA, Frames.HEADERS})
    void endsAConnectionOnWhichAnAnswerGoesOnAfterItsEnd(int type) throws Exception {
        var reading = ask("GET");
        try (var peer = accept()) {
            int stream = peer.next(Frames.HEADERS).stream();
            peer.write(Frames.HEADERS, LAST, stream, Frames.OK);
            assertThat(reading.next()).isEqualTo("head 200 last");

            peer.write(type, LAST, stream, Frames.OK);

            assertThat(peer.next(Frames.GOAWAY).number(4)).isEqualTo(STREAM_CLOSED);
            peer.readToEnd();
        }
    }

    // -- a connection that goes, is not one, or is of no use

    @Test
    void takesTheLowestOfWhatGoAwaysSay() throws Exception {
        var answers = new Reading[] {ask("GET"), ask("GET"), ask("GET")};
        try (var peer = accept()) {
            int first = peer.next(Frames.HEADERS).stream();
            peer.next(Frames.HEADERS);
            int third = peer.next(Frames.HEADERS).stream();
            peer.write(Frames.GOAWAY, 0, 0, goAway(Integer.MAX_VALUE));
            peer.write(Frames.GOAWAY, 0, 0, goAway(third));
            peer.write(Frames.GOAWAY, 0, 0, goAway(first));

            assertThat(answers[1].next()).startsWith("Refused: ").contains("going away");
            assertThat(answers[2].next()).startsWith("Refused: ").contains("going away");
            peer.write(Frames.HEADERS, LAST, first, Frames.OK);
            assertThat(answers[0].next()).isEqualTo("head 200 last");
            peer.readToEnd();
        }
    }

    @Test
    void wantsSettingsFirst() throws Exception {
        for (var first : new byte[][] {
            Frames.frame(Frames.PING, 0, 0, new byte[8]),
            Frames.frame(Frames.SETTINGS, Frames.ACK, 0),
            Frames.frame(Frames.GOAWAY, 0, 0, new byte[8]),
            Frames.frame(Frames.HEADERS, LAST, 1, Frames.OK),
        }) {
            var reading = ask("GET");
            try (var peer = Frames.server(server.accept())) {
                peer.write(first);

                assertThat(reading.next()).startsWith("NotHttp2: ").contains("does not answer in HTTP/2");
                peer.readToEnd();
            }
        }
    }

    @Test
    void doesNotWaitForeverForAServerThatAllowsNoRequests() throws Exception {
        var reading = ask("GET", new Target(address(), new Transport.Plaintext(true), Duration.ofMillis(300)));
        try (var peer = Frames.server(server.accept())) {
            peer.settings(MAX_CONCURRENT_STREAMS, 0);

            assertThat(reading.next())
                    .startsWith("Refused: ")
                    .endsWith("it allows no request on the connection within 300 ms");
            peer.readToEnd();
        }
    }

    @Test
    void opensNoMoreConnectionsThanItsLimit() throws Exception {
        var tight = new Limits(
                10,
                999,
                9999,
                20,
                10,
                50,
                65_535,
                1 << 20,
                Rig.CONNECT,
                Rig.CONNECT,
                Rig.CONNECT,
                Rig.CONNECT,
                2,
                2,
                10);
        var two = Upstreams.on(rig.loops, tight, rig.checkout);
        var answers = new Reading[3];
        var peers = new Frames[2];
        for (int i = 0; i < 3; i++) {
            answers[i] = new Reading(two, "GET", Rig.h2c(address()));
            if (i < 2) {
                peers[i] = Frames.server(server.accept());
                peers[i].settings(MAX_CONCURRENT_STREAMS, 1);
                peers[i].next(Frames.HEADERS);
            }
        }

        assertThat(answers[2].next()).startsWith("Overflow: ").contains("2 connections stand, which is the limit");
        for (var peer : peers) {
            peer.close();
        }
    }

    @Test
    void saysThatARequestsHeadIsTooLargeForTheServer() throws Exception {
        var first = ask("GET");
        try (var peer = Frames.server(server.accept())) {
            peer.settings(MAX_HEADER_LIST_SIZE, 100);
            assertThat(first.next())
                    .isEqualTo("TooLarge: " + Rig.h2c(address()) + ": the request's head has more bytes than it takes");
        }
    }

    @Test
    void readsOverWhatComesForAStreamWhoseTrailersCouldNotBeSent() throws Exception {
        var reading = ask("POST");
        try (var peer = Frames.server(server.accept())) {
            peer.settings(MAX_HEADER_LIST_SIZE, 200);
            int stream = begin(peer, reading);
            reading.on(up -> up.trailers(Fields.of("x-sum", "1".repeat(300))));
            assertThat(peer.next(Frames.RESET).stream()).isEqualTo(stream);

            peer.write(Frames.DATA, 0, stream, (byte) 'a');
            heardUntilHere(peer);

            var next = ask("GET");
            peer.write(Frames.HEADERS, LAST, peer.next(Frames.HEADERS).stream(), Frames.OK);
            assertThat(next.next()).isEqualTo("head 200 last");
        }
    }

    @Test
    void keepsNoMoreOfWhatItSentThanItMustWhateverTheServerOffers() throws Exception {
        var first = ask("GET");
        try (var peer = Frames.server(server.accept())) {
            peer.settings(HEADER_TABLE_SIZE, -1);

            // 4,096 bytes, as nothing else is said: that would be a change of the table's size (RFC 7541 §6.3).
            assertThat(peer.next(Frames.HEADERS).payload()[0] & 0xe0).isNotEqualTo(0x20);
            peer.write(Frames.HEADERS, LAST, 3, Frames.OK);
            assertThat(first.next()).isEqualTo("head 200 last");
        }
    }

    // -- more answers than anybody reads

    @ParameterizedTest
    @ValueSource(ints = {Frames.PING, Frames.SETTINGS})
    void endsAConnectionOnWhichItsAnswersAreNotRead(int type) throws Exception {
        server.close();
        server = new ServerSocket();
        server.setReceiveBufferSize(1024);
        server.bind(Rig.anyPort());
        var reading = ask("GET");
        try (var peer = accept()) {
            begin(peer, reading);
            var burst = new ByteArrayOutputStream();
            for (int i = 0; i < 10_000; i++) {
                burst.writeBytes(Frames.frame(type, 0, 0, new byte[type == Frames.PING ? 8 : 0]));
            }
            assertThatExceptionOfType(IOException.class).isThrownBy(() -> {
                while (true) {
                    peer.write(burst.toByteArray());
                }
            });
            assertThat(reading.next()).startsWith("Closed: ");
        }
    }

    // -- what this side does

    private Frames accept() throws IOException {
        var peer = Frames.server(server.accept());
        peer.settings();
        return peer;
    }

    /// Answers with a head, and returns the stream.
    private static int begin(Frames peer, Reading reading) throws Exception {
        int stream = peer.next(Frames.HEADERS).stream();
        peer.write(Frames.HEADERS, Frames.END_HEADERS, stream, Frames.OK);
        assertThat(reading.next()).isEqualTo("head 200");
        return stream;
    }

    private static void heardUntilHere(Frames peer) throws IOException {
        peer.write(Frames.PING, 0, 0, new byte[8]);
        for (var frame = peer.next(Frames.PING); !frame.has(Frames.ACK); frame = peer.next(Frames.PING)) {}
    }

    private static byte[] goAway(int last) {
        var payload = new byte[8];
        for (int i = 0; i < 4; i++) {
            payload[i] = (byte) (last >>> (24 - 8 * i));
        }
        return payload;
    }

    private Reading ask(String method) {
        return ask(method, Rig.h2c(address()));
    }

    private Reading ask(String method, Target target) {
        return new Reading(rig.upstreams, method, target);
    }

    private InetSocketAddress address() {
        return new InetSocketAddress(server.getInetAddress(), server.getLocalPort());
    }

    private static ServerSocket open() {
        try {
            return new ServerSocket(0, 8, Rig.anyPort().getAddress());
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    /// A request and what its caller hears, who can stop listening.
    private final class Reading implements ResponseListener {
        private final Loop loop = rig.loops.all().getFirst();
        private final LinkedBlockingQueue<String> heard = new LinkedBlockingQueue<>();
        private final CompletableFuture<UpstreamStream> up = new CompletableFuture<>();
        private volatile int chunks;
        private volatile int bytes;

        Reading(Upstreams upstreams, String method, Target target) {
            var head = new Request(Version.HTTP_2, method, "http", "shop", "/", new Fields());
            loop.execute(() -> up.complete(upstreams.open(loop, target, head, method.equals("GET"), this)));
        }

        void pause() {
            on(UpstreamStream::pause);
        }

        void resume() {
            on(UpstreamStream::resume);
        }

        void cancel() {
            on(stream -> stream.cancel(Reset.CANCELLED));
        }

        private void on(java.util.function.Consumer<UpstreamStream> step) {
            var stream = up.join();
            var done = new CompletableFuture<@Nullable Void>();
            loop.execute(() -> {
                step.accept(stream);
                done.complete(null);
            });
            done.join();
        }

        String next() throws InterruptedException {
            var word = heard.poll(30, TimeUnit.SECONDS);
            return word == null ? "nothing" : word;
        }

        @Override
        public void onHead(Response head, boolean last) {
            heard.add("head " + head.status() + (last ? " last" : ""));
        }

        @Override
        @SuppressWarnings("NonAtomicVolatileUpdate") // one loop writes
        public void onData(ByteBuf chunk, boolean last) {
            chunks++;
            bytes += chunk.readableBytes();
            chunk.release();
            if (last) {
                heard.add("end");
            }
        }

        @Override
        public void onTrailers(Fields trailers) {
            heard.add("trailers");
        }

        @Override
        public void onFailure(Failure failure) {
            heard.add(failure.getClass().getSimpleName() + ": " + failure.reason());
        }

        @Override
        public void onWritable() {}
    }
}
