package dev.bodyguard.proxy.sidecar;

import com.google.protobuf.Timestamp;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.Verdict;
import dev.bodyguard.proxy.engine.Ejection;
import dev.bodyguard.proxy.engine.Ejections;
import dev.bodyguard.proxy.wire.ListenerEvents;
import dev.bodyguard.telemetry.record.Meters;
import dev.bodyguard.xds.client.Events;
import io.netty.util.NetUtil;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// What can happen to a sidecar, one line and, where it is worth counting, one counter each.
///
/// Where a connection is turned down the line has Envoy's response flag: DPE, the peer broke its protocol; NR, no
/// filter chain takes it; OM, there are too many.
final class SidecarLog implements ListenerEvents {
    private static final String EJECTIONS = "bodyguard_upstream_ejections_total";
    private static final String REFUSED = "bodyguard_connections_refused_total";
    /// How long nothing more is said of a cluster that has nobody to spare.
    private static final Duration LULL = Duration.ofMinutes(1);

    private static final String NO_CHAIN = " (NR filter_chain_not_found): ";

    private final Logger log;
    private final Meters.Counters refused;
    private final Meters.Counters rejected;
    private final Meters meters;
    private final Sparing refusals;
    private final Sparing ejections;
    private final Sparing.Later later;
    /// Clusters of which it was said that they have nobody to spare.
    private final Set<String> spareless = ConcurrentHashMap.newKeySet();

    private final Outages outages;
    private volatile boolean followsConfig;

    /// @param outages hears of services that are lost and back
    SidecarLog(Logger log, Meters meters, Outages outages) {
        this(
                log,
                meters,
                outages,
                (delay, task) -> CompletableFuture.delayedExecutor(delay.toMillis(), TimeUnit.MILLISECONDS)
                        .execute(task));
    }

    SidecarLog(Logger log, Meters meters, Outages outages, Sparing.Later later) {
        this.log = log;
        this.meters = meters;
        this.outages = outages;
        this.later = later;
        this.refusals = new Sparing(later, sentence -> log.log(Level.WARNING, sentence), REFUSED);
        this.ejections = new Sparing(later, sentence -> log.log(Level.WARNING, sentence), EJECTIONS);
        this.refused = meters.counters(REFUSED, "Connections that were turned down, by reason.", "reason");
        this.rejected = meters.counters(
                "bodyguard_xds_rejected_total", "Configuration resources that were not applied, by type.", "type");
    }

    boolean followsConfig() {
        return followsConfig;
    }

    void progress(String sentence) {
        log.log(Level.INFO, sentence);
    }

    /// For the process's last moments, when java.util.logging has closed its handlers already.
    void farewell(String sentence) {
        System.err.println(LocalTime.now(ZoneId.systemDefault()).truncatedTo(ChronoUnit.MILLIS) + " INFO " + sentence);
    }

    /// Its own requests failed; the app's may not.
    void notWarm(String why) {
        log.log(Level.INFO, "could not warm up, so that the first requests take longer than they need: " + why);
    }

    void orphanStopped(long pid) {
        log.log(Level.WARNING, "stopped pid " + pid + ", the app that a former sidecar of this workload left behind");
    }

    void serverRefused(Verdict.Refused why) {
        log.log(Level.WARNING, "control plane not accepted: " + why.sentence());
    }

    void remembered(Timestamp writtenAt) {
        log.log(
                Level.INFO,
                "config: serving by the plan remembered at "
                        + Instant.ofEpochSecond(writtenAt.getSeconds(), writtenAt.getNanos())
                        + " until the control plane says otherwise");
    }

    void notRemembered(Path file, String why) {
        log.log(Level.WARNING, "config: the remembered plan in " + file + " is left alone: " + why);
    }

    void notWritten(Path file, String why) {
        log.log(
                Level.WARNING,
                "config: the plan could not be remembered in " + file + ": " + why
                        + "; a restart without a control plane would not have it");
    }

    /// Bytes of the app lead nowhere: counts it, and says whether its line in the access log is worth writing.
    boolean tunnelRefused() {
        return worthWriting("tunnel");
    }

    void bytesRefused(SocketAddress peer, @Nullable SpiffeId id, String why) {
        refused("bytes", () -> "refused bytes that are no HTTP from " + text(peer) + " (" + id + "): " + why);
    }

    /// A request could not be read: counts it, and says whether its line in the access log is worth writing.
    boolean unread() {
        return worthWriting("unread");
    }

    private boolean worthWriting(String reason) {
        refused.with(reason).increment();
        return refusals.admits(refusals(reason));
    }

    private void refused(String reason, Supplier<String> sentence) {
        refused.with(reason).increment();
        refusals.say(refusals(reason), () -> Legible.of(sentence.get()));
    }

    private static String refusals(String reason) {
        return "refused connections (" + reason + ")";
    }

    void telemetryLost(String why) {
        outages.goOn(Outages.Service.TELEMETRY, why);
        log.log(
                Level.WARNING,
                "telemetry: " + why + "; counters go on here and are told later, spans wait as far as there is room");
    }

    void telemetryResumed() {
        outages.end(Outages.Service.TELEMETRY);
        log.log(Level.INFO, "telemetry: told again");
    }

    @Override
    public void handshakeFailed(SocketAddress peer, String reason) {
        refused("handshake", () -> "refused a connection from " + text(peer) + " (DPE): " + reason);
    }

    @Override
    public void plaintextRefused(SocketAddress peer, String reason) {
        refused("plaintext", () -> "refused plaintext from " + text(peer) + NO_CHAIN + reason);
    }

    @Override
    public void captureRefused(SocketAddress peer, String reason) {
        refused("capture", () -> "closed a connection from " + text(peer) + NO_CHAIN + reason);
    }

    @Override
    public void overflowed(SocketAddress peer, String reason) {
        refused("limit", () -> "closed a connection from " + text(peer) + " (OM): " + reason);
    }

    @Override
    public void malformed(SocketAddress peer, String reason) {
        refused("malformed", () -> "closed a connection from " + text(peer) + " (DPE): " + reason);
    }

    /// What happens to the configuration stream.
    Events ofConfig() {
        return new Events() {
            @Override
            public void connected() {
                followsConfig = true;
                outages.end(Outages.Service.CONFIG);
                log.log(Level.INFO, "config: connected");
            }

            @Override
            public void lost(String why, Duration retryIn) {
                followsConfig = false;
                outages.goOn(Outages.Service.CONFIG, why);
                log.log(
                        Level.WARNING,
                        "config: " + why + "; what was received stays in force, next try in " + retryIn.toMillis()
                                + " ms");
            }

            @Override
            public void nacked(String typeUrl, Map<String, String> wrong) {
                String type = typeUrl.substring(typeUrl.lastIndexOf('.') + 1);
                wrong.forEach((name, reason) -> log.log(
                        Level.WARNING,
                        "config: " + type + " " + name + " is not applied, its last good form stays: " + reason));
                rejected.with(type).add(wrong.size());
            }
        };
    }

    /// Whether the app beside this sidecar stands still, by what the kernel says.
    AppStandstill.Events ofAppsStandstill() {
        return new AppStandstill.Events() {
            @Override
            public void began(String sentence) {
                log.log(Level.WARNING, sentence);
            }

            @Override
            public void ended(Duration after) {
                log.log(Level.INFO, "the app is not stopped any more, after " + after.toMillis() + " ms");
            }
        };
    }

    /// What happens to the app beside this sidecar.
    AppSilence.Events ofApp() {
        return new AppSilence.Events() {
            @Override
            public void began(String sentence) {
                log.log(Level.WARNING, sentence);
            }

            @Override
            public void ended(Duration after) {
                log.log(Level.INFO, "the app answers again, after " + after.toMillis() + " ms");
            }
        };
    }

    /// What happens to endpoints that fail. Said on event loops.
    Ejections ofEndpoints() {
        return new Ejections() {
            @Override
            public void ejected(Ejection one) {
                meters.ejections(one.whom().service().host(), one.cause().word())
                        .increment();
                ejections.say(
                        "ejections",
                        () -> "ejected " + one.whom() + " from " + one.whom().cluster() + " for "
                                + one.time().toMillis() + " ms: " + one.why() + "; " + by(one));
            }

            @Override
            public void returned(Ejection one) {
                if (ejections.admits("returns after an ejection")) {
                    log.log(
                            Level.INFO,
                            one.whom() + " is in service again in " + one.whom().cluster() + "; it was ejected for "
                                    + one.time().toMillis() + " ms");
                }
            }

            @Override
            public void spared(Ejection one, Reason why) {
                meters.ejectionsSpared(
                                one.whom().service().host(),
                                one.cause().word(),
                                why.name().toLowerCase(Locale.ROOT))
                        .increment();
                if (why == Reason.TOO_MANY && spareless.add(one.whom().cluster())) {
                    later.after(LULL, () -> spareless.remove(one.whom().cluster()));
                    log.log(
                            Level.WARNING,
                            "did not eject " + one.whom() + " from "
                                    + one.whom().cluster() + ", although " + one.why()
                                    + ": no more of its endpoints may be ejected at one time; " + by(one)
                                    + " (maxEjectionPercent, 10 unless said)");
                }
            }

            private String by(Ejection one) {
                return Objects.requireNonNullElse(one.whom().origin(), "its outlier detection");
            }
        };
    }

    /// What happens to this workload's place in the mesh.
    ///
    /// @param remembered whether this workload serves by what it remembers: then it had its place before, and keeps
    ///     it in the others' plans while nobody can be asked
    Registration.Events ofRegistration(Readiness readiness, boolean remembered, Announcement announcement) {
        return new Registration.Events() {
            // Another sidecar has this one's place.
            private boolean displaced;

            @Override
            public void enrolled(Duration lease) {
                displaced = false;
                outages.end(Outages.Service.DISCOVERY);
                readiness.met(Readiness.Need.ENROLLED);
                log.log(Level.INFO, "discovery: enrolled, lease " + lease.toMillis() + " ms");
                try {
                    announcement.confirm();
                } catch (IOException unwritten) {
                    log.log(Level.WARNING, "sidecar.json names another process still: " + unwritten.getMessage());
                }
            }

            @Override
            public void withdrawn() {
                log.log(
                        Level.WARNING,
                        "discovery: withdrawn, since the app does not listen; enrols again when it does");
            }

            @Override
            public void lost(String why, Duration retryIn) {
                if (remembered && !displaced) {
                    readiness.met(Readiness.Need.ENROLLED);
                }
                outages.goOn(Outages.Service.DISCOVERY, why);
                log.log(Level.WARNING, "discovery: " + why + "; enrols again in " + retryIn.toMillis() + " ms");
            }

            @Override
            public void taken(String why) {
                displaced = true;
                outages.end(Outages.Service.DISCOVERY);
                readiness.lost(Readiness.Need.ENROLLED);
                String who = announcement
                        .other()
                        .map(pid -> " (on this machine: pid " + pid + ")")
                        .orElse("");
                log.log(
                        Level.ERROR,
                        "discovery: " + why + who
                                + ". Nobody is sent here meanwhile; asks again until the name is free");
            }
        };
    }

    private static String text(SocketAddress address) {
        return address instanceof InetSocketAddress inet ? NetUtil.toSocketAddressString(inet) : address.toString();
    }
}
