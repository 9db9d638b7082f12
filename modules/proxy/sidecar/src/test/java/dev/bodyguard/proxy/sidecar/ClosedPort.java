package dev.bodyguard.proxy.sidecar;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;

/// A port of this machine that refuses connections, and is nobody else's until it is closed: whoever is given a port
/// meanwhile would be called in its place.
record ClosedPort(Socket holder) implements AutoCloseable {
    static ClosedPort open() throws IOException {
        var holder = new Socket();
        holder.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        return new ClosedPort(holder);
    }

    int number() {
        return holder.getLocalPort();
    }

    @Override
    public void close() throws IOException {
        holder.close();
    }
}
