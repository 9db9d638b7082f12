package dev.bodyguard.proxy.wire;

import dev.bodyguard.identity.spiffe.SpiffeId;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/// What is known of the connection on which a request or tunnel came.
public interface Connection {
    SocketAddress peer();

    SocketAddress local();

    /// Who the peer proved to be by its certificate; null on a plaintext connection.
    @Nullable
    SpiffeId peerId();

    /// The `host:port` this connection was meant for, where the client said so by CONNECT or the kernel knows it; null
    /// otherwise.
    @Nullable
    String originalDestination();

    /// Where the client connected to, where the kernel handed its connection to this process; null otherwise.
    @Nullable
    InetSocketAddress captured();
}
