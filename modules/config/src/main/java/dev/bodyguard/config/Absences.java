package dev.bodyguard.config;

import dev.bodyguard.xds.compile.Kind;
import dev.bodyguard.xds.server.Client;
import dev.bodyguard.xds.server.Peer;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Envoys and gRPC clients that were here and are not. Nobody but config knows of them, and how a stream ends
/// does not tell who crashed from who said good-bye, so each is remembered until it comes again, or until any
/// certificate that it can have had when it went has expired: for as long as the one that it came with lived, a
/// day at most. A sidecar is known elsewhere, and comes and goes in normal life.
///
/// Each stream's own thread tells, any may ask.
final class Absences {
    /// The latest, of everybody together and of one identity.
    static final int MOST = 256;

    static final int MOST_OF_ONE = 32;
    private static final Duration LONGEST = Duration.ofDays(1);
    private static final int LONGEST_NAME = 1_024;
    private static final int LONGEST_REASON = 500;

    private final InstantSource clock;
    // Guarded by this.
    private final Map<Who, Integer> streams = new HashMap<>();
    /// Who went first stands first.
    private final Map<Who, Absent> absent = new LinkedHashMap<>();

    Absences(InstantSource clock) {
        this.clock = clock;
    }

    /// A node that comes back calls itself as before, and is who it was.
    private record Who(String node, List<String> identity) {
        static Who of(Client client) {
            return new Who(client.node().getId(), client.peer().uris());
        }
    }

    /// Somebody who is not here.
    ///
    /// @param kind `envoy` or `grpc`
    /// @param peer as it was when it came
    /// @param since when its last stream ended
    /// @param until when it is forgotten
    /// @param why its last stream ended
    record Absent(String node, String kind, Peer peer, Instant since, Instant until, String why) {}

    synchronized void came(Client client) {
        if (isOutsider(client)) {
            var who = Who.of(client);
            streams.merge(who, 1, Integer::sum);
            absent.remove(who);
        }
    }

    synchronized void went(Client client, String why) {
        if (!isOutsider(client)) {
            return;
        }
        var who = Who.of(client);
        // Its next stream may begin before it is noticed that the last one is over.
        if (streams.merge(who, -1, Integer::sum) > 0) {
            return;
        }
        streams.remove(who);
        var life = client.peer().life();
        if (life == null || who.node().length() > LONGEST_NAME) {
            return;
        }
        var now = clock.instant();
        forget(now);
        var remembered = life.length().compareTo(LONGEST) < 0 ? life.length() : LONGEST;
        absent.put(
                who,
                new Absent(
                        who.node(),
                        StateDump.kind(Kind.of(client.node())),
                        client.peer(),
                        now,
                        now.plus(remembered),
                        why.length() <= LONGEST_REASON ? why : why.substring(0, LONGEST_REASON - 1) + "…"));
        drop(who.identity());
    }

    synchronized List<Absent> all() {
        forget(clock.instant());
        return List.copyOf(absent.values());
    }

    private void forget(Instant now) {
        absent.values().removeIf(one -> !now.isBefore(one.until()));
    }

    /// One identity takes no place of another's before it has used up its own.
    private void drop(List<String> identity) {
        var same = new ArrayList<>(absent.keySet());
        same.removeIf(one -> !one.identity().equals(identity));
        if (same.size() > MOST_OF_ONE) {
            absent.remove(same.getFirst());
        } else if (absent.size() > MOST) {
            absent.remove(absent.keySet().iterator().next());
        }
    }

    private static boolean isOutsider(Client client) {
        return switch (Kind.of(client.node())) {
            case Kind.Sidecar _ -> false;
            case Kind.Envoy _, Kind.Grpc _ -> true;
        };
    }
}
