package dev.bodyguard.proxy.sidecar;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// The names this app has used, asked for on first use and remembered; with a bound, so that an app that makes up
/// names costs the mesh no more than that many.
final class Hosts {
    static final int MOST = 1_024;

    private final Map<String, Use> used = new ConcurrentHashMap<>();
    private final Planner planner;
    private final int most;

    Hosts(Planner planner, int most) {
        this.planner = planner;
        this.most = most;
    }

    /// Notes that a name is used, and asks for it where it was not yet. From any loop; only a first use is not cheap.
    void use(String key) {
        var known = used.get(key);
        long now = System.nanoTime();
        if (known != null) {
            known.at = now;
        } else if (used.putIfAbsent(key, new Use(now)) == null) {
            planner.want(key, used.size() > most ? forgetOldest() : List.of());
        }
    }

    private synchronized List<String> forgetOldest() {
        var forgotten = new ArrayList<String>();
        while (used.size() > most) {
            String oldest = null;
            long age = Long.MIN_VALUE;
            long now = System.nanoTime();
            for (var entry : used.entrySet()) {
                if (now - entry.getValue().at > age) {
                    age = now - entry.getValue().at;
                    oldest = entry.getKey();
                }
            }
            if (oldest == null) {
                break;
            }
            used.remove(oldest);
            forgotten.add(oldest);
        }
        return forgotten;
    }

    /// When a name was last used. Written by many loops, none of which minds losing a race.
    private static final class Use {
        private volatile long at;

        Use(long at) {
            this.at = at;
        }
    }
}
