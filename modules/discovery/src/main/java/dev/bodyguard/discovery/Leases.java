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
/// A registration belongs to the stream that made it last: what an older stream of the same name still does or
/// suffers changes nothing.
final class Leases {
    /// No stream holds it: it was remembered over a restart and waits for its workload to come back.
    static final long NOBODY = -1;

    private final Duration lease;
    private final Duration grace;
    private final Map<String, Held> held = new TreeMap<>();

    private record Held(Workload workload, long stream, Instant until, Why otherwise) {}

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

    /// Takes a registration, or takes one over.
    ///
    /// @return the stream that held it until now
    Optional<Long> enrol(Workload workload, long stream, Instant now) {
        var before = held.put(name(workload), new Held(workload, stream, now.plus(lease), Why.LEASE_RAN_OUT));
        return before == null || before.stream == NOBODY || before.stream == stream
                ? Optional.empty()
                : Optional.of(before.stream);
    }

    /// Who has a name, if anybody does.
    Optional<Workload> holder(String name) {
        return Optional.ofNullable(held.get(name)).map(Held::workload);
    }

    /// Believes in a workload of a former life for one lease.
    void remember(Workload workload, Instant now) {
        held.putIfAbsent(name(workload), new Held(workload, NOBODY, now.plus(lease), Why.DID_NOT_RETURN));
    }

    void heard(String name, long stream, Instant now) {
        held.computeIfPresent(
                name,
                (_, it) ->
                        it.stream == stream ? new Held(it.workload, stream, now.plus(lease), Why.LEASE_RAN_OUT) : it);
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
        held.replaceAll(
                (_, it) -> it.until.isAfter(until) ? it : new Held(it.workload, it.stream, until, it.otherwise));
    }

    void broke(String name, long stream, Instant now) {
        held.computeIfPresent(name, (_, it) -> {
            var until = now.plus(grace);
            return it.stream == stream && until.isBefore(it.until)
                    ? new Held(it.workload, stream, until, Why.STREAM_BROKE)
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
