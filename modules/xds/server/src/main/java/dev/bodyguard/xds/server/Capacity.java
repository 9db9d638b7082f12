package dev.bodyguard.xds.server;

/// How much one server serves at once. A client beyond is refused with RESOURCE_EXHAUSTED and a sentence.
///
/// @param streams of all clients together
/// @param streamsPerPeer of one identity (of one host, where clients prove none), so that no member takes them all
/// @param namesPerPeer characters, plus 64 for each name, of all names that one identity is subscribed to on all its
///     streams
/// @param waitingBytes of one stream's requests that have come in and were not looked at yet; once that many are here
///     no more are asked for, and the transport's flow control stops the client
public record Capacity(int streams, int streamsPerPeer, long namesPerPeer, int waitingBytes) {
    public Capacity {
        if (streams < 1 || streamsPerPeer < 1 || namesPerPeer < 1 || waitingBytes < 1) {
            throw new IllegalArgumentException("capacity must be 1 or more, was " + streams + " streams, "
                    + streamsPerPeer + " of a peer with " + namesPerPeer + " characters of names, " + waitingBytes
                    + " bytes waiting");
        }
    }

    /// Ten thousand proxies, a thousand replicas of one service.
    public static Capacity ordinary() {
        return new Capacity(10_000, 1_000, 32 << 20, 1 << 20);
    }
}
