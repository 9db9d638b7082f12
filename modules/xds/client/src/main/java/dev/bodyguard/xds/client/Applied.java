package dev.bodyguard.xds.client;

import java.util.Map;

/// What became of a batch: all of it is in force but these.
///
/// @param rejected resource name to what is wrong with it, in a sentence
public record Applied(Map<String, String> rejected) {
    private static final Applied ALL = new Applied(Map.of());

    public Applied {
        rejected = Map.copyOf(rejected);
    }

    public static Applied all() {
        return ALL;
    }
}
