package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.timeout.ReadTimeoutException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class AdminServerTest {
    @Test
    void whoWaitsForAnAnswerIsNotIdle() {
        var connection = new EmbeddedChannel();
        connection.freezeTime();
        connection.pipeline().addLast(new AdminServer.Idle());
        connection.config().setAutoRead(false);

        connection.advanceTimeBy(10, TimeUnit.MINUTES);
        connection.runScheduledPendingTasks();

        assertThat(connection.isOpen()).isTrue();

        connection.config().setAutoRead(true);
        connection.advanceTimeBy(61, TimeUnit.SECONDS);
        connection.runScheduledPendingTasks();

        assertThat(connection.isOpen()).isFalse();
        assertThatExceptionOfType(ReadTimeoutException.class).isThrownBy(connection::checkException);
    }

    @Test
    void whoAsksWithoutWaitingIsAnsweredOneByOneInTurn() throws Exception {
        var running = new AtomicInteger();
        var most = new AtomicInteger();
        Function<AdminServer.Query, AdminServer.Reply> page = query -> {
            most.accumulateAndGet(running.incrementAndGet(), Math::max);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
            running.decrementAndGet();
            return AdminServer.Reply.text(200, "answer " + query.one("n") + "\n");
        };
        try (var threads = Executors.newCachedThreadPool();
                var server = AdminServer.start(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                        Map.of(new AdminServer.Page("GET", "/slow"), page),
                        _ -> threads);
                var socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream()
                    .write(IntStream.range(0, 5)
                            .mapToObj(n -> "GET /slow?n=" + n + " HTTP/1.1\r\nHost: app\r\n"
                                    + (n == 4 ? "Connection: close\r\n" : "") + "\r\n")
                            .collect(Collectors.joining())
                            .getBytes(StandardCharsets.US_ASCII));

            var answers = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);

            assertThat(answers.lines().filter(line -> line.startsWith("answer")))
                    .containsExactly("answer 0", "answer 1", "answer 2", "answer 3", "answer 4");
            assertThat(most).hasValue(1);
        }
    }
}
