package dev.bodyguard.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import org.junit.jupiter.api.Test;

class LoopbackPortTest {
    @Test
    void isNotFreeWhileSomebodyListensOnIt() throws IOException {
        int port;
        try (var holder = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = holder.getLocalPort();

            assertThat(LoopbackPort.isFree(port)).isFalse();
        }
        assertThat(LoopbackPort.isFree(port)).isTrue();
    }

    @Test
    void isNotFreeWhileSomebodyListensOnAllAddresses() throws IOException {
        try (var holder = new ServerSocket(0)) {
            assertThat(LoopbackPort.isFree(holder.getLocalPort())).isFalse();
        }
    }

    @Test
    void isFreeAlthoughConnectionsOfAFormerListenerLinger() throws IOException {
        int port;
        try (var holder = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = holder.getLocalPort();
            var client = new Socket(InetAddress.getLoopbackAddress(), port);
            // Who closes first keeps the connection in TIME_WAIT.
            holder.accept().close();
            assertThat(client.getInputStream().read()).isEqualTo(-1);
            client.close();
        }
        assertThat(LoopbackPort.isFree(port)).isTrue();
    }
}
