package dev.bodyguard.service;

import dev.bodyguard.machine.PortOwner;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;

/// A port that is taken is told with its owner, before anything has started.
public final class FreePort {
    private FreePort() {}

    /// Tries the port.
    ///
    /// @param port 0, which is any free one, is always free
    /// @param key what the port is set by, for the way out
    public static void require(String host, int port, String key) throws IOException {
        if (port == 0) {
            return;
        }
        try (var probe = new ServerSocket()) {
            probe.setReuseAddress(true);
            probe.bind(new InetSocketAddress(host, port));
        } catch (BindException taken) {
            throw new IOException(
                    "port " + port + " (" + key + ") is in use by "
                            + PortOwner.of(port).orElse("a process that cannot be told from here")
                            + "; stop it, or give " + key + " another port, 0 for any free one",
                    taken);
        }
    }
}
