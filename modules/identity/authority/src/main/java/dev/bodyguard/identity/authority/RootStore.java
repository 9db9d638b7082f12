package dev.bodyguard.identity.authority;

import java.io.IOException;
import java.util.Optional;

/// Where an authority keeps its root between two lives of its process.
public interface RootStore {
    /// The root kept here, if there is one.
    Optional<Root> load() throws IOException;

    /// Keeps the root, unless another process was quicker; [#load] then answers with the one that is kept.
    void keep(Root root) throws IOException;
}
