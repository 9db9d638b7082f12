package dev.bodyguard.proxy.wire;

import dev.bodyguard.proxy.engine.Transport;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Whom to connect to, and how; the key of a pool. Keep one per endpoint: comparing it with itself costs nothing.
public final class Target {
    private final InetSocketAddress address;
    private final Transport transport;
    private final Duration connectTimeout;
    private final @Nullable InetAddress from;
    private final int hash;

    /// @param address resolved
    public Target(InetSocketAddress address, Transport transport, Duration connectTimeout) {
        this(address, transport, connectTimeout, null);
    }

    /// @param address resolved
    /// @param from of this machine's addresses the one to connect from; null for any
    public Target(InetSocketAddress address, Transport transport, Duration connectTimeout, @Nullable InetAddress from) {
        if (address.isUnresolved()) {
            throw new IllegalArgumentException("an address to connect to must be resolved: " + address);
        }
        this.address = address;
        this.transport = transport;
        this.connectTimeout = connectTimeout;
        this.from = from;
        this.hash = 31 * address.hashCode() + transport.hashCode();
    }

    public InetSocketAddress address() {
        return address;
    }

    public Transport transport() {
        return transport;
    }

    /// Of TCP and TLS together.
    public Duration connectTimeout() {
        return connectTimeout;
    }

    /// Which of this machine's addresses to connect from; null for any.
    public @Nullable InetAddress from() {
        return from;
    }

    @Override
    public boolean equals(Object other) {
        return this == other
                || (other instanceof Target that
                        && hash == that.hash
                        && address.equals(that.address)
                        && transport.equals(that.transport)
                        && Objects.equals(from, that.from));
    }

    @Override
    public int hashCode() {
        return hash;
    }

    @Override
    public String toString() {
        return address.getHostString() + ":" + address.getPort();
    }
}
