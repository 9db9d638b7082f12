package dev.bodyguard.proxy.engine;

import org.jspecify.annotations.Nullable;

/// What the plan says about a request to a host.
public sealed interface Routing {
    /// The first rule that matched.
    record Routed(RouteRule rule) implements Routing {}

    /// The host is known, and none of its rules match: 404.
    ///
    /// @param host the virtual host's name
    /// @param origin what the host's rules are due to
    record NoRoute(String host, @Nullable String origin) implements Routing {}

    /// The host is known, and has no such port: 404.
    ///
    /// @param host the virtual host's name
    /// @param ports that it has
    /// @param origin what makes it known
    record NoPort(String host, String ports, @Nullable String origin) implements Routing {}

    /// The control plane answered that it knows no such host.
    record Unknown(Fallback fallback) implements Routing {}

    /// Nothing was answered yet for this name: subscribe, wait a little, then do as [Plan#fallback()] says.
    record NotYetKnown() implements Routing {}

    /// What happens to requests for hosts that the mesh does not know.
    sealed interface Fallback {
        /// Sent on to where the application addressed it.
        ///
        /// @param cluster the cluster of the listener's catch-all route, `PassthroughCluster`
        record PassThrough(String cluster) implements Fallback {}

        /// Refused.
        record Block(int status, String sentence) implements Fallback {}
    }
}
