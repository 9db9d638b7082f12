package dev.bodyguard.proxy.engine;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import org.jspecify.annotations.Nullable;

/// What travels with a resource for us only.
final class Metadata {
    private static final String OURS = "dev.bodyguard";

    private Metadata() {}

    static @Nullable String origin(io.envoyproxy.envoy.config.core.v3.Metadata metadata) {
        String origin = text(metadata, "origin");
        return origin.isEmpty() ? null : origin;
    }

    /// A string of ours, empty where there is none.
    static String text(io.envoyproxy.envoy.config.core.v3.Metadata metadata, String key) {
        Struct ours = metadata.getFilterMetadataMap().get(OURS);
        if (ours == null) {
            return "";
        }
        Value value = ours.getFieldsMap().get(key);
        return value == null ? "" : value.getStringValue();
    }
}
