package dev.bodyguard.xds.server;

import java.util.HashMap;
import java.util.Map;

/// How much of something each peer has at once. Peers are told apart by what they proved, else by their host.
public final class Quota {
    private final long each;
    // Guarded by this. Whoever has nothing is not in it.
    private final Map<String, Long> taken = new HashMap<>();

    /// Nobody has anything yet.
    ///
    /// @param each what one peer may have
    public Quota(long each) {
        this.each = each;
    }

    /// Takes more, or gives back (less than 0).
    ///
    /// @return false where that is too much; then nothing has changed
    public synchronized boolean take(Peer peer, long more) {
        String key = key(peer);
        long now = taken.getOrDefault(key, 0L) + more;
        if (more > 0 && now > each) {
            return false;
        }
        if (now <= 0) {
            taken.remove(key);
        } else {
            taken.put(key, now);
        }
        return true;
    }

    private static String key(Peer peer) {
        return peer.uris().isEmpty() ? peer.address().replaceFirst(":[0-9]+$", "") : String.join(",", peer.uris());
    }
}
