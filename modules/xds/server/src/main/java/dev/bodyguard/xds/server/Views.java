package dev.bodyguard.xds.server;

import dev.bodyguard.xds.snapshot.Resources;
import io.envoyproxy.envoy.config.core.v3.Node;

/// Decides what a client may see. Asked when its first request comes in and again at each
/// [AggregatedDiscovery#publish()], on the stream's own thread, so it may take its time without delaying others.
@FunctionalInterface
public interface Views {
    View of(Node node, Peer peer);

    /// The answer.
    sealed interface View {}

    /// Serve these.
    record Serve(Resources resources) implements View {}

    /// Not to this one: the stream ends with PERMISSION_DENIED and this sentence.
    record Refuse(String why) implements View {}
}
