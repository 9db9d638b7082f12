package dev.bodyguard.xds.client;

import io.envoyproxy.envoy.service.discovery.v3.Resource;
import java.util.List;

/// Takes resources as they arrive.
@FunctionalInterface
public interface Sink {
    /// Applies what is valid, returns what is not and why.
    ///
    /// One call holds one batch: the first call after a wildcard subscription on an empty client holds everything
    /// there is. It may hold nothing at all, which says: you are up to date.
    ///
    /// @param updated new or changed resources; may repeat one that is already in force
    /// @param removed subscribed names (or resources had by wildcard) that do not exist, or no longer
    Applied apply(String typeUrl, List<Resource> updated, List<String> removed);
}
