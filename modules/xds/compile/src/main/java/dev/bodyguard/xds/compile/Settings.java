package dev.bodyguard.xds.compile;

import dev.bodyguard.model.OutboundPolicy;
import dev.bodyguard.model.PeerTls;

/// What holds for the mesh as a whole.
///
/// @param trustDomain of every identity that the mesh issues: `cluster.local`
/// @param outbound what becomes of unknown hosts where no document says
/// @param callers what is asked of whoever calls a workload
public record Settings(String trustDomain, OutboundPolicy.Mode outbound, PeerTls callers) {
    /// As a fresh mesh has them.
    public static final Settings USUAL = new Settings("cluster.local", OutboundPolicy.Mode.ALLOW_ANY, PeerTls.STRICT);
}
