package dev.bodyguard.proxy.wire;

import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/// What is known of the connection on which a request or tunnel came.
public interface Connection {
    SocketAddress peer();

    SocketAddress local();

    /// The `host:port` this connection was meant for, where the client said so by CONNECT; null otherwise.
    @Nullable
    String originalDestination();
}
