package dev.bodyguard.discovery;

import dev.bodyguard.xds.protocol.discovery.v1.Workload;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Who is believed to run, and until when. A state machine without a clock of its own.
///
/// A registration belongs to one stream: what an older stream of the same name still does or suffers changes nothing.
///
/// A name belongs to the workload that has it and renews its lease. Another process takes it over once that one is
/// gone, never while it lives: two that were started under one name would otherwise take it from each other for ever.
final class Leases {
    /// No stream holds it: its own broke, or it was remembered over a restart, and its workload may come back.
    static final long NOBODY = -1;

    /// A sidecar waits five seconds between attempts to come back, and each may take as long, more on a starved
    /// machine.
    private static final int LEASES_TO_RETURN = 3;

    private final Duration lease;
    private final Duration grace;
    private final Map<String, Held> held = new TreeMap<>();

    /// @param since when it had this place first
    /// @param disputed when somebody else last wanted the name
    private record Held(Workload workload, long stream, Instant since, Instant until, Why otherwise, Instant disputed) {
        Held heldBy(long newStream, Instant newUntil, Why newOtherwise) {
            return new Held(workload, newStream, since, newUntil, newOtherwise, disputed);
        }

        Held disputed(Instant now) {
            return new Held(workload, stream, since, until, otherwise, now);
        }
    }

    /// A name is another's.
    ///
    /// @param again somebody was told so less than a lease ago
    record Taken(Workload by, Instant since, boolean again) {}

    /// One that is no longer believed in.
    record Lost(Workload workload, long stream, Why why) {}

    /// Why a workload left.
    enum Why {
        DRAINED("it drained"),
        LEASE_RAN_OUT("nothing was heard from it for the length of its lease"),
        STREAM_BROKE("its stream broke and it did not come back in time"),
        DID_NOT_RETURN("it did not come back after discovery was restarted");

        private final String sentence;

        Why(String sentence) {
            this.sentence = sentence;
        }

        @Override
        public String toString() {
            return sentence;
        }
    }

    Leases(Duration lease, Duration grace) {
        this.lease = lease;
        this.grace = grace;
    }

    static String name(Workload workload) {
        return workload.getNamespace() + "/" + workload.getName();
    }

    /// Who else has the workload's name and keeps it, if anybody does. That it was wanted is noted.
    Optional<Taken> taken(Workload workload, Instant now) {
        var before = held.get(name(workload));
        if (before == null
                || (samePlace(workload, before.workload) ? mayReturn(before, now) : mayFollow(before, now))) {
            return Optional.empty();
        }
        held.put(name(workload), before.disputed(now));
        return Optional.of(new Taken(before.workload, before.since, isDisputed(before, now)));
    }

    /// Takes a registration, or takes one over that [#taken] does not keep.
    ///
    /// @return the stream that held it until now
    Optional<Long> enrol(Workload workload, long stream, Instant now) {
        var until = now.plus(lease);
        var before = held.get(name(workload));
        if (before == null) {
            held.put(name(workload), new Held(workload, stream, now, until, Why.LEASE_RAN_OUT, Instant.MIN));
            return Optional.empty();
        }
        var since = samePlace(workload, before.workload) ? before.since : now;
        boolean fromStream = before.stream != NOBODY && before.stream != stream;
        var disputed = fromStream ? now : before.disputed;
        held.put(name(workload), new Held(workload, stream, since, until, Why.LEASE_RAN_OUT, disputed));
        return fromStream ? Optional.of(before.stream) : Optional.empty();
    }

    /// A port has one owner: whoever has those of a workload is that workload, or comes after its end. Two that have a
    /// loopback address each only seem to be one, which shows when the first is back for its name at once.
    private boolean mayReturn(Held before, Instant now) {
        return before.stream == NOBODY || isSilent(before, now) || !isDisputed(before, now);
    }

    /// A broken stream means that the workload was killed and this is its successor, unless this one was waiting
    /// already: then the other one has its grace to come back.
    private boolean mayFollow(Held before, Instant now) {
        return isSilent(before, now) || (before.otherwise == Why.STREAM_BROKE && !isDisputed(before, now));
    }

    /// Its renewals, due at a third of the lease, stay out. Another may have the name of one of before a restart sooner
    /// than nobody has.
    private boolean isSilent(Held it, Instant now) {
        var told = it.otherwise == Why.DID_NOT_RETURN
                ? it.until.minus(lease.multipliedBy(LEASES_TO_RETURN - 1L))
                : it.until;
        return it.otherwise != Why.STREAM_BROKE && told.isBefore(now.plus(lease.dividedBy(3)));
    }

    private boolean isDisputed(Held it, Instant now) {
        return it.disputed.isAfter(now.minus(lease));
    }

    private static boolean samePlace(Workload one, Workload other) {
        return one.getPortsCount() > 0
                && one.getAddress().equals(other.getAddress())
                && one.getPortsMap().equals(other.getPortsMap());
    }

    /// Who has a name, if anybody does.
    Optional<Workload> holder(String name) {
        return Optional.ofNullable(held.get(name)).map(Held::workload);
    }

    /// Believes in a workload of a former life for three leases.
    void remember(Workload workload, Instant now) {
        var until = now.plus(lease.multipliedBy(LEASES_TO_RETURN));
        held.putIfAbsent(name(workload), new Held(workload, NOBODY, now, until, Why.DID_NOT_RETURN, Instant.MIN));
    }

    void heard(String name, long stream, Instant now) {
        held.computeIfPresent(
                name, (_, it) -> it.stream == stream ? it.heldBy(stream, now.plus(lease), Why.LEASE_RAN_OUT) : it);
    }

    /// Lets a workload go at its own wish.
    ///
    /// @return the workload that is gone now, unless it was another stream's
    Optional<Workload> drain(String name, long stream) {
        var it = held.get(name);
        if (it == null || it.stream != stream) {
            return Optional.empty();
        }
        held.remove(name);
        return Optional.of(it.workload);
    }

    /// Nobody listened for a while, so that nothing was heard proves nothing: everyone gets half a lease more.
    void listensAgain(Instant now) {
        var until = now.plus(lease.dividedBy(2));
        held.replaceAll((_, it) -> it.until.isAfter(until) ? it : it.heldBy(it.stream, until, it.otherwise));
    }

    void broke(String name, long stream, Instant now) {
        held.computeIfPresent(name, (_, it) -> {
            var until = now.plus(grace);
            return it.stream == stream
                    ? it.heldBy(NOBODY, until.isBefore(it.until) ? until : it.until, Why.STREAM_BROKE)
                    : it;
        });
    }

    /// Drops those whose time is over.
    List<Lost> expire(Instant now) {
        var lost = new ArrayList<Lost>();
        held.values().removeIf(it -> {
            if (it.until.isAfter(now)) {
                return false;
            }
            lost.add(new Lost(it.workload, it.stream, it.otherwise));
            return true;
        });
        return lost;
    }

    /// When the next one's time is over.
    Optional<Instant> next() {
        return held.values().stream().map(Held::until).min(Instant::compareTo);
    }

    List<Workload> alive() {
        return held.values().stream().map(Held::workload).toList();
    }

    boolean knows(String name) {
        return held.containsKey(name);
    }

    /// How many workloads a service account has.
    long of(String namespace, String serviceAccount) {
        return held.values().stream()
                .filter(it -> it.workload.getNamespace().equals(namespace)
                        && it.workload.getServiceAccount().equals(serviceAccount))
                .count();
    }

    int size() {
        return held.size();
    }

    Duration lease() {
        return lease;
    }
}
