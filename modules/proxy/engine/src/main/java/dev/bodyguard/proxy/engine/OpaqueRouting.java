package dev.bodyguard.proxy.engine;

import org.jspecify.annotations.Nullable;

/// What the plan says about bytes that are no HTTP, addressed to a host.
public sealed interface OpaqueRouting {
    /// To the endpoints of a cluster.
    ///
    /// @param bySource whether a balancer that hashes does so by the client's address, else by chance
    /// @param origin what the host's rules are due to
    record To(String cluster, boolean bySource, @Nullable String origin) implements OpaqueRouting {}

    /// The host is known, but not for this.
    record Nowhere(String sentence, @Nullable String origin) implements OpaqueRouting {}

    /// The control plane answered that it knows no such host.
    record Unknown(Routing.Fallback fallback) implements OpaqueRouting {}

    /// Nothing was answered yet for this name.
    record NotYetKnown() implements OpaqueRouting {}
}
