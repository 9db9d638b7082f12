package dev.bodyguard.xds.compile;

import dev.bodyguard.model.OutboundPolicy;
import dev.bodyguard.model.PeerAuthentication;

/// What holds for the mesh as a whole.
///
/// @param trustDomain of every identity that the mesh issues: `cluster.local`
/// @param outbound what becomes of unknown hosts where no document says
/// @param callers what is asked of whoever calls a workload where no document says
public record Settings(String trustDomain, OutboundPolicy.Mode outbound, PeerAuthentication.Mode callers) {
    /// As a fresh mesh has them.
    public static final Settings USUAL =
            new Settings("cluster.local", OutboundPolicy.Mode.ALLOW_ANY, PeerAuthentication.Mode.STRICT);
}
