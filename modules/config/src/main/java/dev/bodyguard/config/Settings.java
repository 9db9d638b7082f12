package dev.bodyguard.config;

import dev.bodyguard.model.OutboundPolicy;
import dev.bodyguard.model.PeerAuthentication;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Objects;

/// What config can be told.
///
/// @param discovery `host:port`
/// @param listen where proxies connect; port 0 takes a free one
/// @param trustDomain of every peer
/// @param outbound what becomes of hosts that the mesh does not know, where no document says
/// @param callers what is asked of whoever calls a workload
/// @param lastGood file that keeps last good versions over a restart
public record Settings(
        String discovery,
        InetSocketAddress listen,
        String trustDomain,
        OutboundPolicy.Mode outbound,
        PeerAuthentication.Mode callers,
        Path lastGood) {
    public Settings {
        Objects.requireNonNull(discovery);
        Objects.requireNonNull(listen);
        Objects.requireNonNull(trustDomain);
        Objects.requireNonNull(outbound);
        Objects.requireNonNull(callers);
        Objects.requireNonNull(lastGood);
    }
}
