package dev.bodyguard.dialect;

import java.util.List;

/// A kind of document.
///
/// @param group of the API, empty for Kubernetes' own
/// @param versions of the group in which it is understood, the newest first
public record Kind(String group, String name, List<String> versions) {
    public Kind {
        versions = List.copyOf(versions);
        if (versions.isEmpty()) {
            throw new IllegalArgumentException(name + " must have a version");
        }
    }

    /// `networking.istio.io/v1`, or `v1` where there is no group.
    String apiVersion(String version) {
        return group.isEmpty() ? version : group + "/" + version;
    }

    /// Every way to write its `apiVersion`, the newest version first.
    List<String> apiVersions() {
        return versions.stream().map(this::apiVersion).toList();
    }
}
