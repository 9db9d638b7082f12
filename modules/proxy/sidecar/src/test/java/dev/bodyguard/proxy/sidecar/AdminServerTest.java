package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.timeout.ReadTimeoutException;
import java.util.concurrent.TimeUnit;
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
}
