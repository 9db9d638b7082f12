package dev.bodyguard.identity.client;

import io.grpc.ManagedChannel;
import java.io.IOException;

/// Opens channels to the identity service ([MeshChannel]), wherever it is at that moment.
@FunctionalInterface
public interface WayToIdentity {
    /// A channel for one call; whoever asked closes it.
    ///
    /// @throws IOException with a sentence for people, where nobody knows now where the service is
    ManagedChannel open() throws IOException;
}
