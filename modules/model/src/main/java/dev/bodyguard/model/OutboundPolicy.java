package dev.bodyguard.model;

import java.util.Map;
import java.util.Objects;

/// What becomes of traffic to hosts that the mesh does not know.
///
/// @param selector the workloads it is about; empty: all of the namespace
public record OutboundPolicy(String namespace, Map<String, String> selector, Mode mode, Origin origin) implements Part {
    public OutboundPolicy {
        selector = Map.copyOf(selector);
        Objects.requireNonNull(mode);
    }

    /// Pass or refuse.
    public enum Mode {
        /// Unknown hosts are passed through untouched.
        ALLOW_ANY,
        /// Only known hosts can be reached.
        REGISTRY_ONLY
    }
}
