package dev.bodyguard.proxy.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/// Which endpoints of one cluster are ejected, the same in every plan that has it. Requests count, and look
/// whether anything changed, without a lock; who ejects, or takes back whose time is over, holds one. There is
/// no timer: who looks first after an ejection's end ends it.
final class Outliers {
    private final LongSupplier clock;
    private final LongUnaryOperator chance;
    private final Ejections events;
    // Guarded by this.
    private final Map<String, Member> members = new HashMap<>();

    private volatile int size;
    private volatile int ejected;
    /// When the first of those ejected is to return.
    private volatile long firstReturn;

    private volatile long version;

    /// @param clock nanoseconds from anywhere
    /// @param chance gives a number from 0 to below its bound
    Outliers(LongSupplier clock, LongUnaryOperator chance, Ejections events) {
        this.clock = clock;
        this.chance = chance;
        this.events = events;
    }

    /// One address. Its counts are of failures in a row.
    static final class Member {
        final AtomicLong serverErrors = new AtomicLong();
        final AtomicLong gatewayErrors = new AtomicLong();
        final AtomicLong localErrors = new AtomicLong();
        private volatile @Nullable Out out;
        // Guarded by the cluster's lock.
        private long counts;
        private long returnedAt;

        private Member() {}

        boolean isEjected() {
            return out != null;
        }
    }

    private record Out(Ejection ejection, long until) {}

    /// What is known of an address, from now on.
    synchronized Member member(String address) {
        Member member = members.computeIfAbsent(address, _ -> new Member());
        size = members.size();
        return member;
    }

    /// Forgets all others, which are gone.
    synchronized void keepOnly(Collection<Member> there) {
        if (members.values().retainAll(there)) {
            size = members.size();
            settle();
        }
    }

    /// Another number whenever somebody else is ejected than before, or nobody any more.
    long version() {
        if (ejected > 0 && clock.getAsLong() - firstReturn >= 0) {
            release();
        }
        return version;
    }

    /// Null while it is in service.
    Ejection.@Nullable Ongoing ongoing(Member member) {
        version();
        Out out = member.out;
        return out == null
                ? null
                : new Ejection.Ongoing(out.ejection, Duration.ofNanos(Math.max(0, out.until - clock.getAsLong())));
    }

    /// A member failed too often in a row. Unless that leads to an ejection nothing is locked: where everybody
    /// fails and no more may be ejected, this is on the way of many.
    ///
    /// @param found the ejection that it would come to, without its time
    void tooMany(Member member, Ejection found, OutlierPolicy policy, OutlierPolicy.Trigger trigger) {
        if (member.isEjected()) {
            return;
        }
        // Whose time is over makes room.
        version();
        if (!policy.allows(ejected, size)) {
            events.spared(found, Ejections.Reason.TOO_MANY);
        } else if (trigger.enforced() < 100 && chance.applyAsLong(100) >= trigger.enforced()) {
            events.spared(found, Ejections.Reason.NOT_ENFORCED);
        } else {
            Ejection told = eject(member, found, policy);
            if (told != null) {
                events.ejected(told);
            }
        }
    }

    /// Null where another event loop was faster, or the member is gone.
    private synchronized @Nullable Ejection eject(Member member, Ejection found, OutlierPolicy policy) {
        if (member.isEjected()
                || members.get(found.whom().address()) != member
                || !policy.allows(ejected, members.size())) {
            return null;
        }
        long now = clock.getAsLong();
        member.counts = policy.counts(member.counts, now - member.returnedAt);
        long time = policy.time(member.counts) + (policy.jitter() == 0 ? 0 : chance.applyAsLong(policy.jitter() + 1));
        var told = new Ejection(found.whom(), found.cause(), found.inARow(), Duration.ofNanos(time), member.counts);
        member.out = new Out(told, now + time);
        settle();
        return told;
    }

    /// Takes back whose time is over.
    private void release() {
        var back = new ArrayList<Ejection>();
        synchronized (this) {
            long now = clock.getAsLong();
            for (Member member : members.values()) {
                Out out = member.out;
                if (out != null && now - out.until >= 0) {
                    member.returnedAt = out.until;
                    takeBack(member);
                    back.add(out.ejection);
                }
            }
            if (!back.isEmpty()) {
                settle();
            }
        }
        back.forEach(events::returned);
    }

    /// Takes back all: nobody is ejected here any more.
    void dissolve() {
        var back = new ArrayList<Ejection>();
        synchronized (this) {
            for (Member member : members.values()) {
                Out out = member.out;
                if (out != null) {
                    takeBack(member);
                    back.add(out.ejection);
                }
            }
            members.clear();
            size = 0;
            settle();
        }
        back.forEach(events::returned);
    }

    /// It begins anew, or the first failure after its return might be the last one needed.
    private static void takeBack(Member member) {
        member.serverErrors.set(0);
        member.gatewayErrors.set(0);
        member.localErrors.set(0);
        member.out = null;
    }

    private synchronized void settle() {
        int out = 0;
        long first = 0;
        for (Member member : members.values()) {
            Out one = member.out;
            if (one != null) {
                first = out == 0 || one.until - first < 0 ? one.until : first;
                out++;
            }
        }
        // The time first: who sees the number looks at it.
        firstReturn = first;
        ejected = out;
        version++;
    }
}
