package dev.bodyguard.xds.server;

/// What one stream has of its peer's quota. Any thread may ask; what is taken goes back at the end, whatever happened.
final class Share implements AutoCloseable {
    private final Quota quota;
    private final Peer peer;
    // Guarded by this.
    private long mine;
    private boolean closed;

    Share(Quota quota, Peer peer) {
        this.quota = quota;
        this.peer = peer;
    }

    /// False where the peer would have too much, or the stream is over; then nothing has changed.
    synchronized boolean more(long bytes) {
        if (closed || !quota.take(peer, bytes)) {
            return false;
        }
        mine += bytes;
        return true;
    }

    synchronized void less(long bytes) {
        if (!closed) {
            quota.take(peer, -bytes);
            mine -= bytes;
        }
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            quota.take(peer, -mine);
        }
    }
}
