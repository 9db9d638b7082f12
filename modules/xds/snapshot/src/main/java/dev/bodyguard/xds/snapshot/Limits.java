package dev.bodyguard.xds.snapshot;

/// How much of the server's memory a client may claim, and how large a response may be.
///
/// @param subscriptions names (and versions claimed to be held) per type on one stream
/// @param nameLength characters of one name or type URL
/// @param types different types on one stream
/// @param responseBytes a delta response is split when it grows beyond this; one resource alone may be larger
public record Limits(int subscriptions, int nameLength, int types, int responseBytes) {
    public Limits {
        if (subscriptions < 1 || nameLength < 1 || types < 1 || responseBytes < 1) {
            throw new IllegalArgumentException("limits must be 1 or more, were " + subscriptions + " subscriptions, "
                    + nameLength + " characters, " + types + " types, " + responseBytes + " bytes");
        }
    }

    /// For a subscriber that takes everything and claims a version of each after a loss. Responses stay well below the
    /// 4 MiB at which gRPC clients refuse by default.
    public static Limits ordinary() {
        return new Limits(50_000, 1_024, 8, 1 << 20);
    }
}
