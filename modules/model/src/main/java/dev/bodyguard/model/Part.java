package dev.bodyguard.model;

/// What one authored document, or one registered workload, adds to a mesh.
public sealed interface Part
        permits Service,
                Workload,
                HttpRoutes,
                BackendPolicy,
                OutboundPolicy,
                AuthorizationPolicy,
                Ingress,
                PeerAuthentication,
                RateLimit,
                Server,
                ServiceAccount {
    /// The document, or the registration, that it stems from.
    Origin origin();
}
