package dev.bodyguard.discovery;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/// How often the workloads of one service account may come or change: as many at once as it may have at all, and then
/// so many a second. A state machine without a clock of its own.
final class Churn {
    private static final int MANY_ACCOUNTS = 1_000;
    private static final double MILLIS = 1_000;

    private final int atOnce;
    private final int perSecond;
    private final Map<String, Used> used = new HashMap<>();

    private record Used(double registrations, Instant at) {}

    Churn(int atOnce, int perSecond) {
        this.atOnce = atOnce;
        this.perSecond = perSecond;
    }

    /// False where that is once too often; then nothing has changed.
    boolean take(String account, Instant now) {
        if (used.size() >= MANY_ACCOUNTS) {
            used.values().removeIf(it -> left(it, now) == 0);
        }
        double before = left(used.getOrDefault(account, new Used(0, now)), now);
        if (before + 1 > atOnce) {
            return false;
        }
        used.put(account, new Used(before + 1, now));
        return true;
    }

    int perSecond() {
        return perSecond;
    }

    /// What is not forgotten yet.
    private double left(Used used, Instant now) {
        double forgotten = Math.max(0, Duration.between(used.at, now).toMillis()) * perSecond / MILLIS;
        return Math.max(0, used.registrations - forgotten);
    }
}
