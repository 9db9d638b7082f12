package dev.bodyguard.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

class PortOwnerTest {
    @Test
    @EnabledOnOs(OS.LINUX)
    void namesTheProcessThatListens() throws IOException {
        try (var mine = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            var owner = PortOwner.of(mine.getLocalPort());

            assertThat(owner)
                    .hasValueSatisfying(text -> assertThat(text)
                            .startsWith("pid " + ProcessHandle.current().pid() + " ("));
        }
    }
}
