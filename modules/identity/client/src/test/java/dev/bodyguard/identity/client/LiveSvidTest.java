package dev.bodyguard.identity.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bodyguard.identity.authority.Authority;
import dev.bodyguard.identity.authority.RootFolder;
import dev.bodyguard.identity.authority.ServerNames;
import dev.bodyguard.identity.authority.Signing;
import dev.bodyguard.identity.spiffe.JoinToken;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.identity.spiffe.TrustBundle;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// On a clock that is moved by hand, with a real authority behind it.
class LiveSvidTest {
    private static final SpiffeId CHECKOUT = SpiffeId.ofServiceAccount("cluster.local", "default", "checkout");

    @TempDir
    private Path folder;

    private final MovedClock clock = new MovedClock(Instant.parse("2026-03-01T12:00:00Z"));
    private final BlockingQueue<String> happened = new LinkedBlockingQueue<>();
    private volatile boolean outage;

    @Test
    void renewsAtTwoThirdsOfALifeOfTenSecondsWithANewKey() throws Exception {
        try (var live = open("authority", null)) {
            var first = live.await(Duration.ofSeconds(20));
            assertThat(heard()).isEqualTo("rotated");

            var due = clock.nextAlarm();
            assertThat(Duration.between(first.issuedAt(), due))
                    .isBetween(Duration.ofMillis(6_400), Duration.ofMillis(6_950));
            clock.moveTo(due);

            assertThat(heard()).isEqualTo("rotated");
            var second = current(live);
            assertThat(second.serial()).isNotEqualTo(first.serial());
            assertThat(second.leaf().getPublicKey()).isNotEqualTo(first.leaf().getPublicKey());
            assertThat(second.expiresAt()).isAfter(first.expiresAt());
        }
    }

    @Test
    void keepsTheOldOneThroughAnOutageAndNeverGivesUp() throws Exception {
        try (var live = open("authority", null)) {
            var first = live.await(Duration.ofSeconds(20));
            assertThat(heard()).isEqualTo("rotated");
            assertThat(live.trouble()).isEmpty();

            outage = true;
            for (int tries = 0; tries < 8; tries++) {
                clock.moveTo(clock.nextAlarm());
                assertThat(heard()).isEqualTo("failed: outage, old until " + first.expiresAt());
            }
            assertThat(live.current()).isEqualTo(first);
            var end = first.expiresAt().truncatedTo(ChronoUnit.SECONDS);
            assertThat(live.trouble().orElseThrow())
                    .matches("identity has given no new certificate for \\d s \\(since 2026-03-01T12:00:0\\dZ\\):"
                            + " outage; the old one is good until " + end + "; it is tried again .*");

            clock.moveTo(clock.nextAlarm().plusSeconds(20));
            assertThat(heard()).startsWith("failed");
            assertThat(heard()).isEqualTo("expired");
            assertThat(live.trouble().orElseThrow())
                    .contains("; the old one expired at " + end + ", so peers refuse it; ");
            outage = false;
            clock.moveTo(clock.nextAlarm());

            assertThat(heard()).isEqualTo("rotated");
            assertThat(current(live).expiresAt()).isAfter(clock.instant());
            assertThat(live.trouble()).isEmpty();
        }
    }

    @Test
    void resumesWithWhatItKeptWhileThereIsNobodyToAsk() throws Exception {
        var kept = folder.resolve("sidecar");
        Svid first;
        try (var live = open("authority", kept)) {
            first = live.await(Duration.ofSeconds(20));
            assertThat(heard()).isEqualTo("rotated");
        }
        outage = true;

        try (var live = open("authority", kept)) {
            assertThat(live.await(Duration.ofSeconds(20))).isEqualTo(first);
            assertThat(heard()).isEqualTo("resumed");
        }

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(kept.resolve("svid.pem"))))
                .isEqualTo("rw-------");
    }

    @Test
    void doesNotResumeWithWhatIsOfNoUse() throws Exception {
        var kept = folder.resolve("sidecar");
        try (var live = open("authority", kept)) {
            live.await(Duration.ofSeconds(20));
            assertThat(heard()).isEqualTo("rotated");
        }
        var good = Files.readString(kept.resolve("svid.pem"));

        // Another mesh's.
        try (var _ = open("another authority", kept)) {
            assertThat(heard()).startsWith("not resumed").contains("does not lead to a root");
            assertThat(heard()).isEqualTo("rotated");
        }
        // Cut off.
        Files.writeString(kept.resolve("svid.pem"), good.substring(0, good.length() / 2));
        try (var _ = open("authority", kept)) {
            assertThat(heard()).startsWith("not resumed").contains("cut off");
            assertThat(heard()).isEqualTo("rotated");
        }
        // Expired.
        Files.writeString(kept.resolve("svid.pem"), good);
        clock.moveTo(clock.instant().plusSeconds(60));
        try (var _ = open("authority", kept)) {
            assertThat(heard()).startsWith("not resumed").contains("expired at");
            assertThat(heard()).isEqualTo("rotated");
        }
    }

    @Test
    void doesNotTakeACertificateThatIsNotItsOwn() throws Exception {
        var authority = authority("authority");
        Issuer another = _ -> {
            try {
                var svid = authority.issue(CHECKOUT, Duration.ZERO, ServerNames.NONE);
                return new Issuer.Issued(svid.chain(), svid.bundle());
            } catch (IOException impossible) {
                throw new UncheckedIOException(impossible);
            }
        };
        try (var live = open(enrolment(authority.bundle(), null), another)) {
            assertThat(heard()).contains("certifies another key than ours");
            assertThat(live.current()).isNull();
        }
    }

    @Test
    void spreadsRenewalsAndPauses() {
        var random = new Random(7);
        var day = Duration.ofHours(24);
        for (int failures = 1; failures < 100; failures++) {
            assertThat(Renewal.pause(failures, day, random)).isBetween(Duration.ofMillis(100), Duration.ofSeconds(60));
            assertThat(Renewal.pause(failures, Duration.ofSeconds(10), random))
                    .isBetween(Duration.ofMillis(100), Duration.ofMillis(334));
            assertThat(Renewal.firstPause(failures, random)).isBetween(Duration.ofMillis(100), Duration.ofSeconds(5));
            var due = Renewal.due(Instant.EPOCH, Instant.EPOCH.plus(day), random);
            assertThat(due).isBetween(Instant.EPOCH.plusSeconds(55_000), Instant.EPOCH.plusSeconds(60_000));
        }
    }

    @Test
    void refusesALifeThatIsTooShort() throws IOException {
        var bundle = authority("authority").bundle();

        assertThatThrownBy(() -> new Enrolment(CHECKOUT, () -> new JoinToken(""), bundle, Duration.ofSeconds(9), null))
                .hasMessageContaining("PT10S or more, was PT9S");
    }

    private LiveSvid open(String authorityName, @Nullable Path kept) throws IOException {
        var authority = authority(authorityName);
        Issuer issuer = csr -> {
            if (outage) {
                throw new Issuer.Failed("outage");
            }
            try {
                return switch (authority.sign(csr, CHECKOUT, Duration.ofSeconds(10))) {
                    case Signing.Signed(var chain, var _, var _) -> new Issuer.Issued(chain, authority.bundle());
                    case Signing.Rejected(var why) -> throw new Issuer.Failed(why);
                };
            } catch (IOException impossible) {
                throw new UncheckedIOException(impossible);
            }
        };
        return open(enrolment(authority.bundle(), kept), issuer);
    }

    private LiveSvid open(Enrolment enrolment, Issuer issuer) {
        var live = new LiveSvid(enrolment, issuer, new Heard(), clock, clock, new SecureRandom());
        live.start();
        return live;
    }

    private static Enrolment enrolment(TrustBundle bundle, @Nullable Path kept) {
        return new Enrolment(CHECKOUT, () -> new JoinToken("unused"), bundle, Duration.ofSeconds(10), kept);
    }

    private Authority authority(String name) throws IOException {
        return Authority.open(
                "cluster.local",
                new RootFolder(folder.resolve(name)),
                Authority.Lifetimes.DAY,
                _ -> {},
                clock,
                new SecureRandom());
    }

    private String heard() throws InterruptedException {
        var event = happened.poll(20, TimeUnit.SECONDS);
        return event == null ? "nothing" : event;
    }

    private static Svid current(LiveSvid live) {
        var svid = live.current();
        assertThat(svid).isNotNull();
        return Objects.requireNonNull(svid);
    }

    private final class Heard implements Events {
        @Override
        public void rotated(Svid svid) {
            happened.add("rotated");
        }

        @Override
        public void resumed(Svid svid) {
            happened.add("resumed");
        }

        @Override
        public void notResumed(Path file, String why) {
            happened.add("not resumed: " + why);
        }

        @Override
        public void failed(String why, @Nullable Svid old, Duration nextTry) {
            happened.add("failed: " + why + (old == null ? "" : ", old until " + old.expiresAt()));
        }

        @Override
        public void expired(Svid svid) {
            happened.add("expired");
        }
    }

    /// Whoever sleeps tells until when, and sleeps until the clock was moved.
    private static final class MovedClock implements InstantSource, Alarm {
        private final SynchronousQueue<Instant> alarms = new SynchronousQueue<>();
        private final SynchronousQueue<Instant> moves = new SynchronousQueue<>();
        private volatile Instant now;
        private volatile boolean asleep;

        MovedClock(Instant start) {
            this.now = start;
        }

        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public void sleepUntil(Instant when) throws InterruptedException {
            alarms.put(when);
            now = moves.take();
        }

        Instant nextAlarm() throws InterruptedException {
            var when = alarms.poll(20, TimeUnit.SECONDS);
            assertThat(when).as("somebody goes to sleep").isNotNull();
            asleep = true;
            return Objects.requireNonNull(when);
        }

        void moveTo(Instant when) throws InterruptedException {
            if (asleep) {
                asleep = false;
                moves.put(when);
            } else {
                now = when;
            }
        }
    }
}
