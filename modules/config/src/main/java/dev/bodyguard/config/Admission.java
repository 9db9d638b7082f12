package dev.bodyguard.config;

import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.xds.compile.Proxy;
import dev.bodyguard.xds.server.Peer;
import io.envoyproxy.envoy.config.core.v3.Node;

/// Decides whether a client is the proxy that its node claims. Pure.
record Admission(String trustDomain) {
    sealed interface Answer {}

    record Admitted(Proxy proxy) implements Answer {}

    record Refused(String why) implements Answer {}

    Answer decide(Node node, Peer peer) {
        Proxy proxy;
        String wanted;
        try {
            proxy = Proxy.of(node);
            wanted = SpiffeId.ofServiceAccount(trustDomain, proxy.namespace(), proxy.serviceAccount())
                    .toString();
        } catch (IllegalArgumentException e) {
            return new Refused(String.valueOf(e.getMessage()));
        }
        if (peer.uris().size() != 1 || !peer.uris().contains(wanted)) {
            return new Refused("the node says it is " + wanted + " (its NAMESPACE and SERVICE_ACCOUNT), but its"
                    + " certificate says "
                    + (peer.uris().isEmpty() ? "nothing" : String.join(", ", peer.uris())));
        }
        return new Admitted(proxy);
    }
}
