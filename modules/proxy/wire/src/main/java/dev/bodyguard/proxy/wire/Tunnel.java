package dev.bodyguard.proxy.wire;

import java.net.InetSocketAddress;
import java.time.Duration;

/// A client connection whose bytes may turn out to be opaque.
public interface Tunnel {
    Connection connection();

    Loop loop();

    /// The `host:port` of the CONNECT.
    String destination();

    /// Connects to the server; once. Bytes flow, half-closes included, as soon as it is known that this is no HTTP.
    void dial(InetSocketAddress server, Duration timeout);

    /// Gives up: closes what is open.
    void close();
}
