package dev.bodyguard.proxy.engine;

import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// A bucket for each identity, of which there may be any number, in room that is fixed: an identity has a few places
/// where its bucket may stand, and takes one that is free or whose bucket is full again, which loses nothing. Where
/// there
/// is none it shares a last bucket with others of its kind, so that crowding never yields more than was granted.
///
/// No locks. Where two loops make a bucket for the same identity at the same moment one may be forgotten, with the
/// tokens that were taken from it.
final class IdentityBuckets {
    private static final int WAYS = 8;
    private static final int MOST = 1 << 16;

    private final Bucket.Rate rate;
    private final AtomicReferenceArray<@Nullable Held> places;
    private final Bucket crowd;

    private record Held(String identity, Bucket bucket) {}

    /// @param room for how many identities, rounded up
    IdentityBuckets(Bucket.Rate rate, int room) {
        this.rate = rate;
        int least = Math.clamp(room, WAYS, MOST);
        this.places = new AtomicReferenceArray<>(Integer.highestOneBit(least - 1) << 1);
        this.crowd = new Bucket(rate);
    }

    Bucket of(String identity, long now) {
        int first = first(identity);
        while (true) {
            int free = -1;
            Held left = null;
            for (int i = first; i < first + WAYS; i++) {
                Held held = places.get(i);
                if (held != null && held.identity.equals(identity)) {
                    return held.bucket;
                }
                if (free < 0 && (held == null || held.bucket.isFull(now))) {
                    free = i;
                    left = held;
                }
            }
            if (free < 0) {
                return crowd;
            }
            var fresh = new Held(identity, new Bucket(rate));
            if (places.compareAndSet(free, left, fresh)) {
                return fresh.bucket;
            }
        }
    }

    /// The bucket that [#of] would yield, without making one: null where it would be a new one.
    @Nullable
    Bucket standing(String identity, long now) {
        int first = first(identity);
        boolean free = false;
        for (int i = first; i < first + WAYS; i++) {
            Held held = places.get(i);
            if (held != null && held.identity.equals(identity)) {
                return held.bucket;
            }
            free |= held == null || held.bucket.isFull(now);
        }
        return free ? null : crowd;
    }

    private int first(String identity) {
        int hash = identity.hashCode();
        return ((hash ^ (hash >>> 16)) & (places.length() / WAYS - 1)) * WAYS;
    }

    Bucket.Rate rate() {
        return rate;
    }

    int room() {
        return places.length();
    }
}
