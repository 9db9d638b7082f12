package dev.bodyguard.xds.server;

import io.envoyproxy.envoy.config.core.v3.Node;

/// One stream's client. Two streams are two clients, even if one process opened both.
///
/// @param stream counts the streams of this server
/// @param node as it describes itself, not proved by anything
public record Client(long stream, Node node, Peer peer) {
    @Override
    public String toString() {
        return "'" + node.getId() + "' (" + peer + ", stream " + stream + ")";
    }
}
