package dev.bodyguard.model;

import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// What some workloads ask of whoever calls them, in the words of Istio's PeerAuthentication.
///
/// @param scopeAt where it is written whom it is about
/// @param mode null where the author left it to the next wider scope
/// @param ports the application's ports that have a mode of their own
public record PeerAuthentication(
        Scope scope,
        Origin scopeAt,
        @Nullable Mode mode,
        Map<Integer, Mode> ports,
        @Nullable Instant created,
        Origin origin)
        implements Part {
    public PeerAuthentication {
        Objects.requireNonNull(scope);
        ports = Map.copyOf(ports);
    }

    /// What is asked.
    public enum Mode {
        /// Mutual TLS: who has no identity of the mesh stays out.
        STRICT,
        /// Mutual TLS where the caller offers it; plaintext otherwise, as nobody in particular.
        PERMISSIVE,
        /// Nothing, and no mutual TLS either: callers are nobody in particular, and TLS is the application's own.
        DISABLE
    }

    /// The workloads that it is about; of several, the narrowest decides.
    public sealed interface Scope {
        /// All of the mesh.
        record Everywhere() implements Scope {}

        /// All of a namespace.
        record Namespace(String name) implements Scope {}

        /// Those of a namespace that carry these labels.
        record Labelled(String namespace, Map<String, String> labels) implements Scope {
            public Labelled {
                labels = Map.copyOf(labels);
            }
        }
    }
}
