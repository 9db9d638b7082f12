package dev.bodyguard.proxy.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// A listener goes, and none of its clients loses a request.
@Timeout(60)
@SuppressWarnings("StringConcatToTextBlock") // line ends are part of what is sent
@Execution(ExecutionMode.CONCURRENT)
class DrainTest {
    /// Longer than anybody here waits: what ends before did not end by it.
    private static final Duration DEADLINE = Duration.ofMinutes(1);
    private static final String REQUEST = "GET / HTTP/1.1\r\nHost: payments\r\n\r\n";

    private final Rig rig = new Rig();

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    void answersTheFirstRequestOfWhoHadJustCome() throws Exception {
        var front = rig.outbound(Rig.echo());
        try (var fresh = Rig.socket(front);
                var client = Rig.socket(front)) {
            rig.until(() -> front.connections() == 2);
            var drained = new CompletableFuture<Integer>();
            try (var frames = whileNoLoopRuns(() -> {
                var _ = front.drain(DEADLINE).thenAccept(drained::complete);
                ask(fresh);
                var first = Frames.client(client);
                first.write(
                        Frames.HEADERS, Frames.END_STREAM | Frames.END_HEADERS, 1, Frames.request("GET", "payments"));
                return first;
            })) {
                assertThat(rest(fresh)).startsWith("HTTP/1.1 200").contains("connection: close\r\n");
                assertThat(frames.next(Frames.GOAWAY).number(0)).isEqualTo(Integer.MAX_VALUE);
                assertThat(frames.next(Frames.HEADERS).stream()).isEqualTo(1);
            }
            drained.get(30, TimeUnit.SECONDS);
        }
    }

    @Test
    void answersTheNextRequestOfAConnectionThatIsKeptAlive() throws Exception {
        var front = rig.outbound(Rig.echo());
        try (var socket = Rig.socket(front)) {
            ask(socket);
            assertThat(Rig.readUntil(socket.getInputStream(), "\r\n0\r\n\r\n")).doesNotContain("connection: close");

            var drained = whileNoLoopRuns(() -> {
                var begun = front.drain(DEADLINE).toCompletableFuture();
                ask(socket);
                return begun;
            });

            assertThat(rest(socket)).startsWith("HTTP/1.1 200").contains("connection: close\r\n");
            drained.get(30, TimeUnit.SECONDS);
        }
    }

    @Test
    void answersOneMoreRequestWhereTheAnswerUnderWayDidNotSayThatItIsTheLast() throws Exception {
        var asked = new CompletableFuture<Exchange>();
        var echo = Rig.echo();
        var held = held(asked);
        var front = rig.outbound(exchange -> asked.isDone() ? echo.begin(exchange) : held.begin(exchange));
        try (var socket = Rig.socket(front)) {
            socket.getOutputStream().write(REQUEST.getBytes(StandardCharsets.US_ASCII));
            var exchange = asked.get(30, TimeUnit.SECONDS);
            exchange.loop().execute(() -> exchange.head(Response.of(200, Fields.of("content-length", "5")), false));
            assertThat(Rig.readUntil(socket.getInputStream(), "\r\n\r\n")).doesNotContain("connection: close");

            var drained = front.drain(DEADLINE).toCompletableFuture();
            Thread.sleep(Listener.FOR_ONE_MORE_REQUEST.plusMillis(200));
            var seen = new CountDownLatch(1);
            exchange.loop().execute(() -> {
                exchange.data(Rig.text("hello"), true);
                // Sent first, and no second that is granted for one more begins before that is on its way.
                exchange.loop().execute(() -> awaitQuietly(seen));
            });
            try {
                assertThat(Rig.readUntil(socket.getInputStream(), "hello")).isEqualTo("hello");
                ask(socket);
            } finally {
                seen.countDown();
            }

            assertThat(rest(socket)).startsWith("HTTP/1.1 200").contains("connection: close\r\n");
            drained.get(30, TimeUnit.SECONDS);
        }
    }

    @Test
    void waitsNotLongForWhoSaysNothing() throws Exception {
        var front = rig.outbound(Rig.echo());
        var inbound = rig.inbound(Rig.echo());
        try (var used = Rig.socket(front);
                var fresh = Rig.socket(front);
                var beforeItsHandshake = Rig.socket(inbound)) {
            used.getOutputStream().write(REQUEST.getBytes(StandardCharsets.US_ASCII));
            Rig.readUntil(used.getInputStream(), "\r\n0\r\n\r\n");
            rig.until(() -> front.connections() == 2 && inbound.connections() == 1);

            front.drain(DEADLINE).toCompletableFuture().get(30, TimeUnit.SECONDS);
            inbound.drain(DEADLINE).toCompletableFuture().get(30, TimeUnit.SECONDS);

            assertThat(used.getInputStream().read()).isEqualTo(-1);
            assertThat(fresh.getInputStream().read()).isEqualTo(-1);
            assertThat(beforeItsHandshake.getInputStream().read()).isEqualTo(-1);
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void leavesWhoComesTooLateToItsSuccessor() throws Exception {
        while (!hasSuccessorBeforeTheNewcomerKnocksAgain()) {
            // The machine stood still for a second, and the newcomer was refused.
        }
    }

    private boolean hasSuccessorBeforeTheNewcomerKnocksAgain() throws Exception {
        var front = rig.outbound(Rig.echo());
        try (var newcomer = SocketChannel.open()) {
            newcomer.configureBlocking(false);
            long knocks = System.nanoTime();
            var drained = whileNoLoopRuns(() -> {
                var begun = front.drain(DEADLINE).toCompletableFuture();
                newcomer.connect(front.address());
                return begun;
            });
            drained.get(30, TimeUnit.SECONDS);
            rig.listeners.add(Listener.outbound(
                    rig.loops, front.address(), Limits.DEFAULTS, Rig.echo(), _ -> new TunnelListener() {}, rig));
            if (System.nanoTime() - knocks > TimeUnit.MILLISECONDS.toNanos(900)) {
                return false;
            }

            assertThat(front.wasUsed()).isFalse();
            newcomer.configureBlocking(true);
            assertThat(newcomer.finishConnect()).isTrue();
            var socket = newcomer.socket();
            socket.setSoTimeout(30_000);
            ask(socket);
            assertThat(Rig.readUntil(socket.getInputStream(), "\r\n0\r\n\r\n")).startsWith("HTTP/1.1 200");
            return true;
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void acceptsAllWhoWaitHoweverLateItGetsToIt() throws Exception {
        var front = rig.outbound(Rig.echo());
        var released = new CountDownLatch(1);
        rig.loops.all().forEach(loop -> loop.execute(() -> awaitQuietly(released)));
        var waiting = new ArrayList<Socket>();
        try {
            for (int i = 0; i < 100; i++) {
                var socket = Rig.socket(front);
                waiting.add(socket);
                socket.getOutputStream().write(REQUEST.getBytes(StandardCharsets.US_ASCII));
            }
            var drained = front.drain(DEADLINE).toCompletableFuture();
            Thread.sleep(Duration.ofMillis(200)); // longer than handshakes have
            released.countDown();

            for (var socket : waiting) {
                assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1))
                        .startsWith("HTTP/1.1 200")
                        .contains("connection: close\r\n");
            }
            assertThat(drained.get(30, TimeUnit.SECONDS)).as("cut off").isZero();
        } finally {
            released.countDown();
            for (var socket : waiting) {
                socket.close();
            }
        }
    }

    @Test
    void drainsByFinishingWhatIsUnderWay() throws Exception {
        var pair = pair("payments");
        var inbound = rig.listeners.get(1);
        var request = "GET / HTTP/1.1\r\nHost: payments\r\nConnection: close\r\n\r\n";
        assertThat(Rig.call(pair, request)).startsWith("HTTP/1.1 200");

        inbound.drain(DEADLINE).toCompletableFuture().get(30, TimeUnit.SECONDS);

        assertThat(inbound.connections()).isZero();
        assertThat(Rig.call(pair, request)).startsWith("HTTP/1.1 503");
    }

    @Test
    void drainsHttp1ByAnsweringAndSayingThatTheConnectionEnds() throws Exception {
        var asked = new CompletableFuture<Exchange>();
        var front = rig.outbound(held(asked));
        try (var socket = Rig.socket(front)) {
            socket.getOutputStream()
                    .write("GET / HTTP/1.1\r\nHost: payments\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            var exchange = asked.get(30, TimeUnit.SECONDS);

            var drained = front.drain(DEADLINE).toCompletableFuture();
            answer(exchange);

            var answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
            assertThat(answer).startsWith("HTTP/1.1 200").contains("connection: close\r\n");
            assertThat(drained.get(30, TimeUnit.SECONDS)).as("cut off").isZero();
        }
    }

    @Test
    void cutsOffWhatDoesNotEndInTimeAndSaysHowMany() throws Exception {
        var asked = new CompletableFuture<Exchange>();
        var front = rig.outbound(held(asked));
        try (var socket = Rig.socket(front)) {
            socket.getOutputStream()
                    .write("GET / HTTP/1.1\r\nHost: payments\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            asked.get(30, TimeUnit.SECONDS);

            var drained = front.drain(Duration.ofMillis(300)).toCompletableFuture();

            assertThat(drained.get(30, TimeUnit.SECONDS)).isEqualTo(1);
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        }
    }

    @Test
    void drainsHttp2ByGoawayBeforeItAnswersAndCloses() throws Exception {
        var asked = new CompletableFuture<Exchange>();
        var front = rig.outbound(held(asked));
        try (var client = Frames.client(Rig.socket(front))) {
            client.write(Frames.HEADERS, Frames.END_STREAM | Frames.END_HEADERS, 1, Frames.request("GET", "payments"));
            var exchange = asked.get(30, TimeUnit.SECONDS);

            var drained = front.drain(DEADLINE).toCompletableFuture();

            var soon = client.next(Frames.GOAWAY);
            assertThat(soon.number(0)).as("streams that may still begin").isEqualTo(Integer.MAX_VALUE);
            assertThat(soon.number(4)).as("error").isZero();
            var now = client.next(Frames.GOAWAY);
            assertThat(now.number(0)).as("the last stream that is answered").isEqualTo(1);
            answer(exchange);
            assertThat(client.next(Frames.HEADERS).stream()).isEqualTo(1);
            client.readToEnd();
            drained.get(30, TimeUnit.SECONDS);
        }
    }

    /// However long that takes: what a loop finds then was there at once, and each second it grants begins then.
    private <T> T whileNoLoopRuns(Callable<T> steps) throws Exception {
        var taken = new CountDownLatch(1);
        rig.loops.all().forEach(loop -> loop.execute(() -> awaitQuietly(taken)));
        try {
            return steps.call();
        } finally {
            taken.countDown();
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void ask(Socket socket) throws IOException {
        socket.getOutputStream().write(REQUEST.getBytes(StandardCharsets.US_ASCII));
    }

    /// What comes until the connection ends.
    private static String rest(Socket socket) throws IOException {
        return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    }

    /// Hands on what was asked and leaves it unanswered.
    private static RequestHandler held(CompletableFuture<Exchange> asked) {
        return exchange -> {
            asked.complete(exchange);
            return new RequestListener() {
                @Override
                public void onData(ByteBuf chunk, boolean last) {
                    chunk.release();
                }

                @Override
                public void onTrailers(Fields trailers) {}

                @Override
                public void onReset(Reset reason) {}

                @Override
                public void onWritable() {}
            };
        };
    }

    private static void answer(Exchange exchange) {
        exchange.loop().execute(() -> exchange.head(Response.of(200, new Fields()), true));
    }

    private Listener pair(String name) throws IOException {
        var app = rig.outbound(Rig.echo());
        var inbound = rig.inbound(rig.relay(rig.plain(app)));
        return rig.outbound(rig.relay(rig.mtls(inbound, name)));
    }
}
