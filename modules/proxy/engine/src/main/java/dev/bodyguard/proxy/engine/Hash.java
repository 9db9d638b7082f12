package dev.bodyguard.proxy.engine;

/// A 64-bit hash of text that spreads well over a ring: FNV-1a, then the finalizer of MurmurHash3.
public final class Hash {
    /// Of nothing, to be continued.
    static final long START = 0xcbf29ce484222325L;

    private Hash() {}

    /// The hash of a text's characters.
    public static long of(CharSequence text) {
        return mix(onto(START, text));
    }

    /// A hash continued with another text.
    public static long onto(long hash, CharSequence text) {
        return onto(hash, text, 0, text.length());
    }

    /// A hash continued with a part of another text.
    static long onto(long hash, CharSequence text, int begin, int end) {
        long h = hash;
        for (int i = begin; i < end; i++) {
            h = (h ^ text.charAt(i)) * 0x100000001b3L;
        }
        return h;
    }

    static long mix(long hash) {
        long h = hash;
        h = (h ^ (h >>> 33)) * 0xff51afd7ed558ccdL;
        h = (h ^ (h >>> 33)) * 0xc4ceb9fe1a85ec53L;
        return h ^ (h >>> 33);
    }
}
