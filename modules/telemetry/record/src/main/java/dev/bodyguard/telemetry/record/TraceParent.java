package dev.bodyguard.telemetry.record;

import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// A W3C `traceparent`: which trace a request belongs to and which span it came from.
///
/// @param high the trace id's first eight bytes
/// @param low the trace id's last eight bytes
/// @param span the parent id
public record TraceParent(long high, long low, long span, boolean sampled) {
    private static final int LENGTH = 55;
    private static final char[] HEX = "0123456789abcdef".toCharArray();

    public TraceParent {
        if ((high | low) == 0 || span == 0) {
            throw new IllegalArgumentException("neither trace id nor parent id may be all zero");
        }
    }

    /// Reads a header's value; null for anything the recommendation calls invalid, which then starts a new trace.
    public static @Nullable TraceParent parse(CharSequence text) {
        // W3C Trace Context §3.2: of a later version only what version 00 defines is read, whatever follows.
        if (text.length() < LENGTH
                || text.charAt(2) != '-'
                || text.charAt(35) != '-'
                || text.charAt(52) != '-'
                || (text.length() > LENGTH && text.charAt(LENGTH) != '-')) {
            return null;
        }
        if (!isHex(text, 0, 2) || !isHex(text, 3, 35) || !isHex(text, 36, 52) || !isHex(text, 53, 55)) {
            return null;
        }
        long version = hex(text, 0, 2);
        if (version == 0xff || (version == 0 && text.length() != LENGTH)) {
            return null;
        }
        long high = hex(text, 3, 19);
        long low = hex(text, 19, 35);
        long span = hex(text, 36, 52);
        return (high | low) == 0 || span == 0 ? null : new TraceParent(high, low, span, (hex(text, 53, 55) & 1) != 0);
    }

    /// The first span of a new trace.
    public static TraceParent start(boolean sampled, RandomGenerator random) {
        return new TraceParent(random.nextLong(), nonZero(random), nonZero(random), sampled);
    }

    /// A new span of the same trace, to be sent on in place of this one.
    public TraceParent child(RandomGenerator random) {
        return new TraceParent(high, low, nonZero(random), sampled);
    }

    /// 32 hexadecimal digits.
    public String traceId() {
        var text = new StringBuilder(32);
        hex(text, high);
        hex(text, low);
        return text.toString();
    }

    /// 16 hexadecimal digits.
    public String spanId() {
        var text = new StringBuilder(16);
        hex(text, span);
        return text.toString();
    }

    /// The header's value, version 00.
    @Override
    public String toString() {
        var text = new StringBuilder(LENGTH).append("00-");
        hex(text, high);
        hex(text, low);
        text.append('-');
        hex(text, span);
        return text.append(sampled ? "-01" : "-00").toString();
    }

    private static long nonZero(RandomGenerator random) {
        long drawn = random.nextLong();
        return drawn == 0 ? 1 : drawn;
    }

    private static boolean isHex(CharSequence text, int from, int to) {
        for (int i = from; i < to; i++) {
            char c = text.charAt(i);
            // Upper case is invalid here.
            if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
                return false;
            }
        }
        return true;
    }

    private static long hex(CharSequence text, int from, int to) {
        long value = 0;
        for (int i = from; i < to; i++) {
            value = value << 4 | Character.digit(text.charAt(i), 16);
        }
        return value;
    }

    private static void hex(StringBuilder text, long value) {
        for (int shift = 60; shift >= 0; shift -= 4) {
            text.append(HEX[(int) (value >>> shift) & 0xf]);
        }
    }
}
