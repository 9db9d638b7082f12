package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.wire.Limits;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Limits as whoever starts a sidecar sets them: `name=value,…`, by the names of [Limits]; what is not named stays at
/// its default.
final class LimitSettings {
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,9})(KiB|MiB)?");
    private static final Pattern TIME = Pattern.compile("([0-9]{1,9})(ms|s|m|h)");

    private enum Setting {
        ACCEPTED("accepted", 1, 1_000_000),
        REQUEST_LINE("requestLine", 1 << 10, 1 << 20),
        HEAD_BYTES("headBytes", 1 << 10, 1 << 20),
        FIELD_COUNT("fieldCount", 10, 10_000),
        CONCURRENT_STREAMS("concurrentStreams", 1, 100_000),
        RESETS_PER_SECOND("resetsPerSecond", 10, 1_000_000),
        // RFC 9113 §6.9.2: what a peer may send before it has heard of another size.
        STREAM_WINDOW("streamWindow", 65_535, 16 << 20),
        CONNECTION_WINDOW("connectionWindow", 65_535, 256 << 20),
        HANDSHAKE("handshake", Duration.ofMillis(100), Duration.ofMinutes(10)),
        HEAD("head", Duration.ofMillis(100), Duration.ofHours(1)),
        IDLE("idle", Duration.ofSeconds(1), Duration.ofHours(24)),
        UPSTREAM_IDLE("upstreamIdle", Duration.ofSeconds(1), Duration.ofHours(24)),
        POOLED_IDLE("pooledIdle", 0, 100_000),
        CONNECTIONS("connections", 1, 1_000_000),
        PENDING("pending", 1, 1_000_000);

        private final String label;
        private final long least;
        private final long most;
        private final boolean time;

        Setting(String label, long least, long most) {
            this.label = label;
            this.least = least;
            this.most = most;
            this.time = false;
        }

        Setting(String label, Duration least, Duration most) {
            this.label = label;
            this.least = least.toMillis();
            this.most = most.toMillis();
            this.time = true;
        }

        /// @throws IllegalArgumentException with what it must be
        private long read(String place, String text) {
            var parts = (time ? TIME : SIZE).matcher(text);
            if (parts.matches()) {
                long value = Long.parseLong(parts.group(1)) * unit(parts.group(2));
                if (value >= least && value <= most) {
                    return value;
                }
            }
            throw new IllegalArgumentException(place + ": " + label + " must be "
                    + (time
                            ? "a time in ms, s, m or h, " + least + "ms to " + most / 1_000 + "s"
                            : "a whole number, in KiB or MiB if that is said, " + least + " to " + most)
                    + ", was '" + text + "'");
        }

        private static long unit(@Nullable String unit) {
            return switch (unit) {
                case "KiB" -> 1 << 10;
                case "MiB" -> 1 << 20;
                case "s" -> 1_000;
                case "m" -> 60_000;
                case "h" -> 3_600_000;
                case null, default -> 1;
            };
        }
    }

    private LimitSettings() {}

    /// @param place where it was said, for the sentence
    /// @param text empty for the defaults
    /// @throws IllegalArgumentException with place, value, why and range
    static Limits read(String place, String text) {
        var told = new EnumMap<Setting, Long>(Setting.class);
        for (var pair : text.isEmpty() ? new String[0] : text.split(",", -1)) {
            int equals = pair.indexOf('=');
            if (equals < 1) {
                throw new IllegalArgumentException(place + " must be name=value,name=value, was '" + text + "'");
            }
            var name = pair.substring(0, equals).strip();
            var setting = Arrays.stream(Setting.values())
                    .filter(one -> one.label.equals(name))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException(
                            place + ": there is no limit '" + name + "'; there are " + names()));
            if (told.put(setting, setting.read(place, pair.substring(equals + 1).strip())) != null) {
                throw new IllegalArgumentException(place + ": " + name + " is given twice");
            }
        }
        return new Told(told).limits();
    }

    private static String names() {
        return Arrays.stream(Setting.values()).map(one -> one.label).collect(Collectors.joining(", "));
    }

    private record Told(Map<Setting, Long> values) {
        private int count(Setting setting, int otherwise) {
            return Math.toIntExact(values.getOrDefault(setting, (long) otherwise));
        }

        private Duration time(Setting setting, Duration otherwise) {
            return Duration.ofMillis(values.getOrDefault(setting, otherwise.toMillis()));
        }

        Limits limits() {
            var or = Limits.DEFAULTS;
            return new Limits(
                    count(Setting.ACCEPTED, or.accepted()),
                    count(Setting.REQUEST_LINE, or.requestLine()),
                    count(Setting.HEAD_BYTES, or.headBytes()),
                    count(Setting.FIELD_COUNT, or.fieldCount()),
                    count(Setting.CONCURRENT_STREAMS, or.concurrentStreams()),
                    count(Setting.RESETS_PER_SECOND, or.resetsPerSecond()),
                    count(Setting.STREAM_WINDOW, or.streamWindow()),
                    count(Setting.CONNECTION_WINDOW, or.connectionWindow()),
                    time(Setting.HANDSHAKE, or.handshake()),
                    time(Setting.HEAD, or.head()),
                    time(Setting.IDLE, or.idle()),
                    time(Setting.UPSTREAM_IDLE, or.upstreamIdle()),
                    count(Setting.POOLED_IDLE, or.pooledIdle()),
                    count(Setting.CONNECTIONS, or.connections()),
                    count(Setting.PENDING, or.pending()));
        }
    }
}
