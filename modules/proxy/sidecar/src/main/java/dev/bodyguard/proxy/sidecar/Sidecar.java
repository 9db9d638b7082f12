package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.identity.client.Enrolment;
import dev.bodyguard.identity.client.Events;
import dev.bodyguard.identity.client.LiveSvid;
import dev.bodyguard.identity.client.LoggedEvents;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.identity.spiffe.TrustBundle;
import dev.bodyguard.proxy.engine.Loads;
import dev.bodyguard.proxy.engine.Plan;
import dev.bodyguard.proxy.wire.Loops;
import dev.bodyguard.proxy.wire.MeshTls;
import dev.bodyguard.proxy.wire.Upstreams;
import dev.bodyguard.telemetry.record.AccessLine;
import dev.bodyguard.telemetry.record.Exchange;
import dev.bodyguard.telemetry.record.Otlp;
import dev.bodyguard.telemetry.record.Party;
import dev.bodyguard.telemetry.record.WorkloadName;
import dev.bodyguard.xds.client.AdsClient;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A sidecar wherever it runs: identity ▶ request paths ▶ configuration. It opens no port; whoever places it does.
final class Sidecar implements AutoCloseable {
    private static final Duration PATIENCE_FOR_A_FIRST_WORD = Duration.ofSeconds(1);
    private static final Duration PATIENCE_WHILE_WARMING = Duration.ofSeconds(2);
    private static final Duration PATIENCE_FOR_CONFIG = Duration.ofSeconds(5);
    private static final int PARKED = 1_024;

    private final Ground ground;
    private final AppSide app;
    private final Settings settings;
    private final TrustBundle root;
    private final StateFolder state;
    private final AtomicReference<@Nullable LiveSvid> svid = new AtomicReference<>();
    private final AccessLog<Exchange> accessLog;
    private final Planner planner;
    private final Memory memory;
    private final Party self;
    private final Room room;

    final SpiffeId id;
    final ControlPlane controlPlane;
    final LiveSvid live;
    final MeshTls tls;
    final Loops loops;
    final Upstreams upstreams;
    final Telemetry telemetry;
    final InForce<Generation> inForce = new InForce<>(new Generation(Plan.EMPTY));
    final Hosts hosts;
    final OutboundPath outboundPath;
    final OutboundTunnels outboundTunnels;
    final InboundPath inboundPath;
    final Certificates certificates;
    final InboundTunnels inboundTunnels;
    /// Where the app's own calls come in; set by whoever opens that port.
    final AtomicInteger outboundPort = new AtomicInteger();

    /// Joins the mesh.
    ///
    /// @param token shows that this is who it says
    /// @param patience for a first certificate
    Sidecar(
            Ground ground,
            Settings settings,
            TrustBundle root,
            Enrolment.Token token,
            Whereabouts where,
            AppSide app,
            Duration patience)
            throws IOException, TimeoutException, InterruptedException {
        this.ground = ground;
        this.app = app;
        this.settings = settings;
        this.root = root;
        var clock = ground.clock();
        var log = ground.log();
        state = new StateFolder(settings.state());

        // Identity
        var rotating = new AtomicReference<@Nullable MeshTls>();
        controlPlane = new ControlPlane(where, root.trustDomain(), this::trusted, this::current, log, clock);
        id = SpiffeId.ofServiceAccount(root.trustDomain(), settings.namespace(), settings.serviceAccount());
        live = LiveSvid.start(
                new Enrolment(id, token, root, settings.ttl(), state.workload(settings.workload())),
                controlPlane::identity,
                Events.both(new LoggedEvents(System.getLogger("bodyguard.identity")), new Rotation(rotating)),
                clock);
        svid.set(live);
        var first = live.await(patience);
        tls = new MeshTls(first, clock);
        rotating.set(tls);
        var newest = live.current();
        if (newest != null && !newest.equals(first)) {
            // Renewed before anybody listened.
            tls.rotate(newest);
        }
        ground.readiness().met(Readiness.Need.CERTIFICATE);

        // Request paths
        self = self(settings, id);
        loops = Loops.start(Math.max(1, Math.min(2, Runtime.getRuntime().availableProcessors())));
        accessLog = new AccessLog<>(new FileOutputStream(FileDescriptor.out), AccessLine::write);
        upstreams = Upstreams.on(loops, settings.limits(), tls);
        telemetry = new Telemetry(
                new Otlp(self, clock.millis()),
                ground.meters(),
                new TelemetryChannel(upstreams, loops.all().getLast(), controlPlane::telemetry, root.trustDomain()),
                log,
                clock);
        room = Room.ofHeap();
        var ledger = new Ledger(
                ground.meters(),
                settings.accessLog() ? List.of(accessLog::write, telemetry) : List.of(telemetry),
                log::unread,
                room,
                clock);
        certificates = new Certificates(settings.certificates(), log::progress);
        certificates.watch();
        var parking = new Parking(loops.all(), PATIENCE_FOR_A_FIRST_WORD, PARKED);
        planner = new Planner(
                inForce,
                new Loads(System::nanoTime, bound -> ThreadLocalRandom.current().nextLong(bound), log.ofEndpoints()),
                PATIENCE_WHILE_WARMING,
                new Planned(ground.readiness(), parking, settings.appPorts(), certificates));
        hosts = new Hosts(planner, Hosts.MOST);
        var trail = new Trail(settings.traceSampling());
        var resolver = new Resolver();
        outboundPath =
                new OutboundPath(inForce, hosts, parking, upstreams, resolver, ledger, trail, self, outboundPort::get);
        outboundTunnels =
                new OutboundTunnels(inForce, hosts, parking, tls, resolver, ledger, log, self, outboundPort::get);
        inboundPath = new InboundPath(
                inForce, settings, id, self, upstreams, resolver, ledger, trail, app, new AppSpeech(System::nanoTime));
        inboundTunnels = new InboundTunnels(inForce, settings, tls, resolver, ledger, log, self, app);
        memory = new Memory(
                planner,
                new PlanFile(state.workload(settings.workload()), id, clock),
                live::current,
                log::followsConfig,
                log);
        Gauges.add(
                ground.meters(),
                live::current,
                log::followsConfig,
                loops::usedDirectMemory,
                room::taken,
                accessLog::dropped,
                () -> Ejected.count(inForce.get().plan()),
                clock);
    }

    /// Follows configuration from now on, and begins with what is remembered. Whoever was let in yesterday may be
    /// denied
    /// today, so nobody is to be let in before this returns.
    ///
    /// @return whether it serves by what it remembers
    boolean follow() throws IOException, InterruptedException {
        var log = ground.log();
        var remembered = memory.resume(root);
        remembered.ifPresent(used -> used.forEach(hosts::use));
        var config = new FromConfig(memory, memory::settle, log.ofConfig());
        var xds = new AdsClient(controlPlane::config, new Node(settings).proto(), config, config);
        planner.askThrough(memory.behind(new Subscribed(xds)));
        xds.start();
        warmUp();
        if (remembered.isPresent() && config.await(PATIENCE_FOR_CONFIG) == FromConfig.Word.SILENT) {
            log.progress("config has not answered within " + PATIENCE_FOR_CONFIG.toSeconds()
                    + " s; the app is served by the remembered plan");
        }
        return remembered.isPresent();
    }

    private void warmUp() {
        var log = ground.log();
        try {
            WarmUp.begin(settings, id, self, tls, loops, new Pace(ground.readiness(), room))
                    .ended()
                    .thenAccept(end -> end.trouble().ifPresent(log::notWarm));
        } catch (IOException noPort) {
            log.notWarm("" + noPort.getMessage());
        }
    }

    private record Pace(Readiness readiness, Room room) implements WarmUp.Pace {
        @Override
        public boolean isInService() {
            return readiness.has(Readiness.Need.INBOUND, Readiness.Need.OUTBOUND);
        }

        @Override
        public boolean isBusy() {
            return room.taken() > 0;
        }

        @Override
        public boolean isEnough(int answered) {
            return answered >= 1_000;
        }
    }

    /// What operators may ask.
    AdminPages pages(Runnable drain) {
        return new AdminPages(ground.readiness(), ground.meters(), inForce, hosts, settings, id, this::problems, drain);
    }

    private List<Problem> problems() {
        return Stream.of(
                        app.problems().stream().map(sentence -> Problem.error(Problem.About.APP, sentence)),
                        live.trouble().map(this::ofCertificate).stream(),
                        ground.outages().sentences().stream()
                                .map(sentence -> Problem.error(Problem.About.CONTROL_PLANE, sentence)),
                        Ejected.sentences(inForce.get().plan()).stream()
                                .map(sentence -> Problem.warning(Problem.About.UPSTREAM, sentence)))
                .flatMap(problems -> problems)
                .toList();
    }

    private Problem ofCertificate(String sentence) {
        var old = current();
        return old != null && ground.clock().instant().isBefore(old.expiresAt())
                ? Problem.warning(Problem.About.CERTIFICATE, sentence)
                : Problem.error(Problem.About.CERTIFICATE, sentence);
    }

    /// `spiffe://… (BoringSSL, epoll)`
    @Override
    public String toString() {
        return id + " (" + tls.provider() + ", " + loops.transport() + ")";
    }

    /// Keeps and tells what is left to be.
    @Override
    public void close() {
        telemetry.close();
        accessLog.close();
        memory.close();
    }

    private TrustBundle trusted() {
        var now = current();
        return now == null ? root : now.bundle();
    }

    private @Nullable Svid current() {
        var renewed = svid.get();
        return renewed == null ? null : renewed.current();
    }

    private static Party self(Settings settings, SpiffeId id) {
        return new Party(
                WorkloadName.of(settings.workload(), settings.labels()),
                settings.namespace(),
                id.toString(),
                settings.labels().getOrDefault("app", settings.service()),
                settings.labels().getOrDefault("version", ""),
                settings.service(),
                "");
    }
}
