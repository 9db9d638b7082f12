package dev.bodyguard.machine;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;

/// A TCP port of 127.0.0.1.
public final class LoopbackPort {
    private LoopbackPort() {}

    /// Whether somebody could listen there now: nobody does, neither there nor on all addresses, and no connection sits
    /// on it that would be in the way.
    public static boolean isFree(int port) {
        try (var socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            return true;
        } catch (IOException _) {
            return false;
        }
    }

    /// `pid 4711 (payment-service -port 8080)`, or what else it may be that has the port.
    public static String holder(int port) {
        return PortOwner.of(port).orElse("another user's process, or by a connection");
    }
}
