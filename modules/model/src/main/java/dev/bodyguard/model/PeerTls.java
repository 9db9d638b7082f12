package dev.bodyguard.model;

/// What is asked of whoever calls a workload, in the words of Istio's PeerAuthentication.
public enum PeerTls {
    /// Mutual TLS: who has no identity of the mesh stays out.
    STRICT,
    /// Mutual TLS where the caller offers it; plaintext otherwise, as nobody in particular.
    PERMISSIVE
}
