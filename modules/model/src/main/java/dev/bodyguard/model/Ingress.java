package dev.bodyguard.model;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What one port of some workloads means to whoever calls it, in the words of Istio's `Sidecar.ingress`.
///
/// @param selector the workloads it is about; empty: all of the namespace
/// @param port that is called
/// @param appPort where the application listens for it
/// @param certificate by which TLS ends before the application; null where it does not
public record Ingress(
        String namespace,
        Map<String, String> selector,
        int port,
        int appPort,
        @Nullable Certificate certificate,
        Origin origin)
        implements Part {
    public Ingress {
        selector = Map.copyOf(selector);
    }

    /// A certificate that only the workload holds. By name: keys are nothing that a mesh is told.
    ///
    /// @param name of the SDS secret with chain and key
    /// @param clients name of the SDS secret with the roots by which clients prove themselves; null: they need not
    public record Certificate(String name, @Nullable String clients) {}
}
