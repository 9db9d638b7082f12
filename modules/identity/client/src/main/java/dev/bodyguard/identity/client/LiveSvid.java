package dev.bodyguard.identity.client;

import dev.bodyguard.identity.spiffe.AcceptedPeers;
import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.identity.spiffe.SvidVerifier;
import dev.bodyguard.identity.spiffe.Verdict;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// An SVID that renews itself: at 2/3 of its life, with a new key, for as long as it is open. A renewal that fails is
/// tried again without end, and the old SVID stays in force meanwhile.
///
/// One thread owns it; [#current()] may be asked from any.
public final class LiveSvid implements AutoCloseable {
    private static final Duration LONGEST_FAREWELL = Duration.ofSeconds(2);

    private final Enrolment enrolment;
    private final Issuer issuer;
    private final Events events;
    private final InstantSource clock;
    private final Alarm alarm;
    private final SecureRandom random;
    private final @Nullable KeptSvid kept;
    private final CountDownLatch first = new CountDownLatch(1);
    private final Thread thread;
    private volatile @Nullable Svid current;

    /// Null while no renewal is overdue.
    private volatile @Nullable Overdue overdue;

    private record Overdue(Instant since, String why) {}

    LiveSvid(Enrolment enrolment, Issuer issuer, Events events, InstantSource clock, Alarm alarm, SecureRandom random) {
        this.enrolment = Objects.requireNonNull(enrolment);
        this.issuer = issuer;
        this.events = Objects.requireNonNull(events);
        this.clock = clock;
        this.alarm = alarm;
        this.random = random;
        var folder = enrolment.keptIn();
        this.kept = folder == null ? null : new KeptSvid(folder);
        this.thread = Thread.ofPlatform().daemon().name("identity").unstarted(this::run);
    }

    /// Begins to enrol.
    ///
    /// @param way asked for a channel before each call
    public static LiveSvid start(Enrolment enrolment, WayToIdentity way, Events events, InstantSource clock) {
        var live = new LiveSvid(
                enrolment, new IdentityService(enrolment, way), events, clock, Alarm.by(clock), new SecureRandom());
        live.start();
        return live;
    }

    void start() {
        thread.start();
    }

    /// The SVID in force; null until there is a first one.
    public @Nullable Svid current() {
        return current;
    }

    /// Why there is no new SVID although one is due, and how long the old one is good for; empty while all is well.
    public Optional<String> trouble() {
        var now = overdue;
        if (now == null) {
            return Optional.empty();
        }
        var old = current;
        return Optional.of("identity has given no new certificate for "
                + Duration.between(now.since, clock.instant()).toSeconds() + " s (since "
                + now.since.truncatedTo(ChronoUnit.SECONDS) + "): " + now.why + "; "
                + (old == null ? "there is none yet" : life(old.expiresAt()))
                + "; it is tried again until it succeeds: is the identity service up, reached from here, and does it know this"
                + " workload's token?");
    }

    private String life(Instant expiry) {
        var end = expiry.truncatedTo(ChronoUnit.SECONDS);
        return clock.instant().isBefore(expiry)
                ? "the old one is good until " + end
                : "the old one expired at " + end + ", so peers refuse it";
    }

    /// The SVID in force, waiting for the first one.
    public Svid await(Duration atMost) throws InterruptedException, TimeoutException {
        var _ = first.await(atMost.toMillis(), TimeUnit.MILLISECONDS);
        var svid = current;
        if (svid == null) {
            throw new TimeoutException("no certificate for " + enrolment.id() + " within " + atMost.toSeconds()
                    + " s; the log says why the identity service gave none");
        }
        return svid;
    }

    /// Ends the renewal. The SVID in force stays so.
    @Override
    public void close() {
        thread.interrupt();
        try {
            var _ = thread.join(LONGEST_FAREWELL);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            resume();
            while (!Thread.currentThread().isInterrupted()) {
                var old = current;
                if (old != null) {
                    alarm.sleepUntil(Renewal.due(old.issuedAt(), old.expiresAt(), random));
                }
                renew(old);
            }
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
    }

    private void renew(@Nullable Svid old) throws InterruptedException {
        var saidExpired = false;
        var asked = clock.instant();
        for (int failures = 1; ; failures++) {
            try {
                accept(enrol());
                return;
            } catch (Issuer.Failed failed) {
                if (Thread.currentThread().isInterrupted()) {
                    throw new InterruptedException();
                }
                var pause = old == null
                        ? Renewal.firstPause(failures, random)
                        : Renewal.pause(failures, Duration.between(old.issuedAt(), old.expiresAt()), random);
                overdue = new Overdue(asked, String.valueOf(failed.getMessage()));
                events.failed(String.valueOf(failed.getMessage()), old, pause);
                if (old != null && !saidExpired && !clock.instant().isBefore(old.expiresAt())) {
                    saidExpired = true;
                    events.expired(old);
                }
                alarm.sleepUntil(clock.instant().plus(pause));
            }
        }
    }

    private Svid enrol() throws Issuer.Failed {
        var key = CertificateRequest.newKey(random);
        var asked = clock.instant();
        var issued = issuer.sign(CertificateRequest.encode(key, random));
        var verdict =
                new SvidVerifier(issued::bundle, clock).verify(issued.chain(), new AcceptedPeers.OneOf(enrolment.id()));
        if (verdict instanceof Verdict.Refused(var _, var sentence)) {
            throw new Issuer.Failed("the identity service's answer is of no use: " + sentence);
        }
        if (!issued.chain().getFirst().getPublicKey().equals(key.getPublic())) {
            throw new Issuer.Failed("the identity service's answer certifies another key than ours");
        }
        return new Svid(enrolment.id(), key.getPrivate(), issued.chain(), issued.bundle(), asked);
    }

    private void accept(Svid svid) {
        current = svid;
        overdue = null;
        first.countDown();
        if (kept != null) {
            try {
                kept.keep(svid);
            } catch (IOException notWritten) {
                events.notKept(kept.file(), notWritten.toString());
            }
        }
        events.rotated(svid);
    }

    private void resume() {
        if (kept == null) {
            return;
        }
        try {
            kept.resume(enrolment, clock).ifPresent(svid -> {
                current = svid;
                first.countDown();
                events.resumed(svid);
            });
        } catch (IOException unusable) {
            events.notResumed(kept.file(), String.valueOf(unusable.getMessage()));
        }
    }
}
