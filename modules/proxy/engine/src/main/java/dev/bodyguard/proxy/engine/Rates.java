package dev.bodyguard.proxy.engine;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.function.Supplier;

/// Buckets that survive a change of plans, so that an edit elsewhere grants nobody anything anew. Owned by one thread.
final class Rates {
    private final Map<Key, Object> all = new HashMap<>();

    /// @param rule what set the limit, without the place where it stands, which any edit moves
    /// @param of whom, empty where it is everybody's
    record Key(String rule, String of, Bucket.Rate rate, int room) {}

    Bucket bucket(Key key) {
        return kept(key, () -> new Bucket(key.rate()), Bucket.class);
    }

    IdentityBuckets identities(Key key) {
        return kept(key, () -> new IdentityBuckets(key.rate(), key.room()), IdentityBuckets.class);
    }

    private <T> T kept(Key key, Supplier<T> fresh, Class<T> type) {
        return type.cast(all.computeIfAbsent(key, _ -> fresh.get()));
    }

    void keepOnly(Collection<Key> used) {
        all.keySet().retainAll(new HashSet<>(used));
    }

    int size() {
        return all.size();
    }
}
