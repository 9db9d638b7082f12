package dev.bodyguard.proxy.wire;

/// Decides where opaque bytes go; one per listener, called on many loops.
@FunctionalInterface
public interface TunnelHandler {
    /// A client was granted a CONNECT, or was captured, or has announced bytes. Call `tunnel.dial` at once where the
    /// server may speak first, or when `onOpaque` is heard; whoever speaks first decides what this is.
    TunnelListener open(Tunnel tunnel);
}
