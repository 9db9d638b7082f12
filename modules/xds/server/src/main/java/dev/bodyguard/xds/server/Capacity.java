package dev.bodyguard.xds.server;

/// How much one server serves at once. A client beyond is refused with RESOURCE_EXHAUSTED and a sentence.
///
/// @param streams of all clients together
/// @param streamsPerPeer of one identity (of one host, where clients prove none), so that no member takes them all
/// @param bytesPerPeer what is kept for one identity on all its streams: what it says of itself, the names that it is
///     subscribed to (64 bytes each, and their characters), what it has left without an answer, and its requests that
///     were not looked at yet
/// @param waitingBytes of one stream's requests that have come in and were not looked at yet, and 256 for each; once
///     that many are here no more are asked for, and the transport's flow control stops the client
public record Capacity(int streams, int streamsPerPeer, long bytesPerPeer, int waitingBytes) {
    public Capacity {
        if (streams < 1 || streamsPerPeer < 1 || bytesPerPeer < 1 || waitingBytes < 1) {
            throw new IllegalArgumentException("capacity must be 1 or more, was " + streams + " streams, "
                    + streamsPerPeer + " of a peer with " + bytesPerPeer + " bytes kept, " + waitingBytes
                    + " bytes waiting");
        }
    }

    /// Ten thousand proxies, a thousand replicas of one service.
    public static Capacity ordinary() {
        return new Capacity(10_000, 1_000, 64 << 20, 1 << 20);
    }
}
