package dev.bodyguard.xds.server;

/// How many connections one server holds at once. One beyond is closed before anything is spent on it.
///
/// @param all of all clients together
/// @param perAddress from one host, so that no machine takes them all; whoever proves an identity on them is bounded
///     again by [Capacity]. Helidon does not know this bound
public record Connections(int all, int perAddress) {
    public Connections {
        if (all < 1 || perAddress < 1) {
            throw new IllegalArgumentException(
                    "connections must be 1 or more, were " + all + ", and " + perAddress + " of an address");
        }
    }

    /// Ten thousand proxies, two thousand of them on one machine.
    public static Connections ordinary() {
        return new Connections(10_000, 2_000);
    }
}
