package dev.bodyguard.cli;

/// In whose words the sample's mesh is written down.
enum Wording {
    ISTIO("mesh"),
    LINKERD("mesh-linkerd"),
    GATEWAY("mesh-gateway");

    private final String folder;

    Wording(String folder) {
        this.folder = folder;
    }

    /// Of the sample.
    String folder() {
        return folder;
    }
}
