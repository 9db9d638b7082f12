package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.identity.client.Enrolment;
import dev.bodyguard.identity.client.Events;
import dev.bodyguard.identity.client.LiveSvid;
import dev.bodyguard.identity.client.LoggedEvents;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.identity.spiffe.TrustBundle;
import dev.bodyguard.machine.PortOwner;
import dev.bodyguard.proxy.engine.Plan;
import dev.bodyguard.proxy.wire.Limits;
import dev.bodyguard.proxy.wire.Listener;
import dev.bodyguard.proxy.wire.Loops;
import dev.bodyguard.proxy.wire.MeshTls;
import dev.bodyguard.proxy.wire.Upstreams;
import dev.bodyguard.telemetry.record.AccessLine;
import dev.bodyguard.telemetry.record.Exchange;
import dev.bodyguard.telemetry.record.Meters;
import dev.bodyguard.telemetry.record.Otlp;
import dev.bodyguard.telemetry.record.Party;
import dev.bodyguard.xds.client.AdsClient;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/// A sidecar, from its command line to its end: settings ▶ identity ▶ configuration ▶ listeners ▶ enrol ▶ serve ▶
/// wait ▶ drain.
public final class Main {
    static final String TRUST_DOMAIN = "cluster.local";
    private static final Duration PATIENCE_FOR_CONFIG = Duration.ofSeconds(5);
    private static final Duration PATIENCE_FOR_THE_CONTROL_PLANE = Duration.ofSeconds(30);
    private static final Duration PATIENCE_FOR_A_FIRST_WORD = Duration.ofSeconds(1);
    private static final Duration PATIENCE_WHILE_WARMING = Duration.ofSeconds(2);
    private static final int PARKED = 1_024;
    private static final int USAGE = 64;

    /// Held, because java.util.logging would otherwise forget its level. Netty tells of every frame that crosses a
    /// reset.
    private static final Logger NETTY = Logger.getLogger("io.netty");

    private Main() {}

    /// Runs one sidecar; the exit status is the app's.
    public static void main(String[] args) {
        System.setProperty("java.util.logging.SimpleFormatter.format", "%1$tT.%1$tL %4$s %5$s%6$s%n");
        NETTY.setLevel(Level.WARNING);
        System.exit(
                switch (Settings.from(List.of(args))) {
                    case Settings.Asked.Help _ -> {
                        System.out.print(Settings.HELP);
                        yield 0;
                    }
                    case Settings.Asked.Mistake(var sentence) -> {
                        System.err.println(sentence);
                        yield USAGE;
                    }
                    case Settings.Asked.Run(var settings) -> run(settings);
                });
    }

    private static int run(Settings settings) {
        try {
            return new Main().serve(settings);
        } catch (IOException | TimeoutException failed) {
            System.err.println("bodyguard sidecar " + settings.workload() + ": " + failed.getMessage());
            return 1;
        } catch (InterruptedException _) {
            return 1;
        }
    }

    private int serve(Settings settings) throws IOException, TimeoutException, InterruptedException {
        var clock = InstantSource.system();
        var meters = new Meters();
        var log = new SidecarLog(System.getLogger("bodyguard.sidecar"), meters);
        var readiness = new Readiness();
        var state = new StateFolder(settings.state());
        var self = self(settings);

        // Identity
        new Orphan(state, settings.workload(), log).stop();
        var root = root(state, settings.workload(), log);
        var tls = new AtomicReference<@Nullable MeshTls>();
        var svid = new AtomicReference<@Nullable LiveSvid>();
        var controlPlane = new ControlPlane(state, () -> trusted(svid, root), () -> current(svid), log, clock);
        var id = SpiffeId.ofServiceAccount(TRUST_DOMAIN, settings.namespace(), settings.service());
        var live = LiveSvid.start(
                new Enrolment(
                        id,
                        () -> state.joinToken(settings.namespace(), settings.service()),
                        root,
                        settings.ttl(),
                        state.workload(settings.workload())),
                controlPlane::identity,
                Events.both(new LoggedEvents(System.getLogger("bodyguard.identity")), new Rotation(tls)),
                clock);
        svid.set(live);
        var first = live.await(PATIENCE_FOR_THE_CONTROL_PLANE);
        var meshTls = new MeshTls(first, clock);
        tls.set(meshTls);
        var newest = live.current();
        if (newest != null && !newest.equals(first)) {
            // Renewed before anybody listened.
            meshTls.rotate(newest);
        }
        readiness.met(Readiness.Need.CERTIFICATE);

        // Request paths
        var enroller = new Enroller(readiness, settings.appPort());
        var loops = Loops.start(Math.max(1, Math.min(2, Runtime.getRuntime().availableProcessors())));
        var accessLog = new AccessLog<Exchange>(new FileOutputStream(FileDescriptor.out), AccessLine::write);
        var upstreams = Upstreams.on(loops, Limits.DEFAULTS, meshTls);
        var telemetry = new Telemetry(
                new Otlp(self, clock.millis()),
                meters,
                new TelemetryChannel(upstreams, loops.all().getLast(), controlPlane::telemetry),
                log,
                clock);
        var ledger = new Ledger(
                meters,
                settings.accessLog()
                        ? List.of(meters::record, accessLog::write, telemetry)
                        : List.of(meters::record, telemetry),
                clock);
        var inForce = new InForce<>(new Generation(Plan.EMPTY));
        var parking = new Parking(loops.all(), PATIENCE_FOR_A_FIRST_WORD, PARKED);
        var planner = new Planner(inForce, PATIENCE_WHILE_WARMING, new Planned(readiness, parking, settings.appPort()));
        var hosts = new Hosts(planner, Hosts.MOST);
        var trail = new Trail(settings.traceSampling());
        var resolver = new Resolver();
        var outboundPort = new AtomicInteger();
        var outboundPath =
                new OutboundPath(inForce, hosts, parking, upstreams, resolver, ledger, trail, self, outboundPort::get);
        var inboundPath = new InboundPath(
                inForce,
                settings,
                id,
                self,
                upstreams,
                resolver,
                ledger,
                trail,
                enroller::doubt,
                new AppSpeech(System::nanoTime));
        var tunnels =
                new OutboundTunnels(inForce, hosts, parking, meshTls, resolver, ledger, log, self, outboundPort::get);
        var inboundTunnels =
                new InboundTunnels(inForce, settings, meshTls, resolver, ledger, log, self, enroller::doubt);

        // What the app calls
        var outbound = listen(
                "--outbound-port",
                settings.outboundPort(),
                address -> Listener.outbound(loops, address, Limits.DEFAULTS, outboundPath, tunnels, log));
        outboundPort.set(outbound.address().getPort());

        // Configuration
        var memory = new Memory(
                planner,
                new PlanFile(state.workload(settings.workload()), id, clock),
                live::current,
                log::followsConfig,
                log);
        var remembered = memory.resume(root);
        remembered.ifPresent(used -> used.forEach(hosts::use));
        var config = new FromConfig(memory, memory::settle, log.ofConfig());
        var xds = new AdsClient(controlPlane::config, new Node(settings).proto(), config, config);
        planner.askThrough(memory.behind(new Subscribed(xds)));
        xds.start();

        // What calls the app: whoever was let in yesterday may be denied today
        if (remembered.isPresent() && config.await(PATIENCE_FOR_CONFIG) == FromConfig.Word.SILENT) {
            log.progress("config has not answered within " + PATIENCE_FOR_CONFIG.toSeconds()
                    + " s; the app is served by the remembered plan");
        }
        var inbound = listen(
                "--inbound-port",
                settings.inboundPort(),
                address ->
                        Listener.inbound(loops, address, Limits.DEFAULTS, meshTls, inboundPath, inboundTunnels, log));
        readiness.met(Readiness.Need.LISTENERS);

        // Enrolment, and the end of it all
        var registration = new Registration(
                controlPlane::discovery,
                new Node(settings).workload(inbound.address().getPort()),
                log.ofRegistration(readiness, remembered.isPresent()),
                new SecureRandom());
        var drain = new Drain(readiness, registration, List.of(inbound, outbound), log);
        Gauges.add(meters, live::current, log::followsConfig, loops::usedDirectMemory, accessLog::dropped, clock);
        var admin = listen(
                "--admin-port",
                settings.adminPort(),
                address -> AdminServer.start(
                        address, new AdminPages(readiness, meters, inForce, hosts, settings, drain).all()));
        var ended = new AtomicReference<@Nullable Child>();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            drain.run();
            var app = ended.get();
            if (app != null) {
                app.stop();
            }
            telemetry.close();
            accessLog.close();
            memory.close();
        }));

        // Serve
        telemetry.start();
        Child child = null;
        if (!settings.command().isEmpty()) {
            // What an app asks in its first moments shall not fail because its sidecar is still new here.
            if (!readiness.await(PATIENCE_FOR_CONFIG, Readiness.Need.INBOUND, Readiness.Need.OUTBOUND)) {
                log.progress("config has not answered within " + PATIENCE_FOR_CONFIG.toSeconds()
                        + " s; the app is started all the same");
            }
            child = Child.start(settings.command(), text(outbound.address()));
            ended.set(child);
        }
        var running = new StateFolder.Running(
                ProcessHandle.current().pid(),
                child == null ? 0 : child.pid(),
                text(outbound.address()),
                text(inbound.address()),
                "127.0.0.1:" + admin.port(),
                id.toString());
        state.announce(settings.workload(), running);
        log.progress("sidecar " + settings.workload() + " outbound " + running.outbound() + " inbound "
                + running.inbound() + " admin " + running.admin() + " app 127.0.0.1:" + settings.appPort() + " as "
                + id + " (" + meshTls.provider() + ", " + loops.transport() + ")");
        enroller.start(registration);

        // Wait
        if (child == null) {
            Thread.currentThread().join();
        }
        int status = child == null ? 0 : child.await();
        log.progress("the app ended with status " + status);
        drain.run();
        return status;
    }

    private static Party self(Settings settings) {
        return new Party(
                settings.workload(),
                settings.namespace(),
                SpiffeId.ofServiceAccount(TRUST_DOMAIN, settings.namespace(), settings.service())
                        .toString(),
                settings.labels().getOrDefault("app", settings.service()),
                settings.labels().getOrDefault("version", ""),
                settings.service(),
                "");
    }

    /// The mesh's root, once there is one.
    private static TrustBundle root(StateFolder state, String workload, SidecarLog log)
            throws IOException, TimeoutException, InterruptedException {
        long until = System.nanoTime() + PATIENCE_FOR_THE_CONTROL_PLANE.toNanos();
        boolean told = false;
        while (!Files.exists(state.rootCertificates())
                || (state.controlPlane().isEmpty() && !state.wasHere(workload))) {
            if (!told) {
                told = true;
                log.progress("waiting for a control plane in " + state.root() + " (`bodyguard run --state "
                        + state.root() + "`), for " + PATIENCE_FOR_THE_CONTROL_PLANE.toSeconds() + " s at most");
            }
            if (System.nanoTime() > until) {
                throw new TimeoutException("no control plane in " + state.root() + " within "
                        + PATIENCE_FOR_THE_CONTROL_PLANE.toSeconds() + " s; start `bodyguard run --state "
                        + state.root() + "`");
            }
            Thread.sleep(50);
        }
        return TrustBundle.read(TRUST_DOMAIN, state.rootCertificates());
    }

    private static TrustBundle trusted(AtomicReference<@Nullable LiveSvid> live, TrustBundle root) {
        var svid = current(live);
        return svid == null ? root : svid.bundle();
    }

    private static @Nullable Svid current(AtomicReference<@Nullable LiveSvid> live) {
        var renewed = live.get();
        return renewed == null ? null : renewed.current();
    }

    /// Opens a port.
    private interface Opening<T> {
        T at(InetSocketAddress address) throws IOException;
    }

    private static <T> T listen(String flag, int port, Opening<T> opening) throws IOException {
        try {
            return opening.at(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        } catch (IOException taken) {
            if (port == 0) {
                throw taken;
            }
            throw new IOException(
                    "port " + port + " (" + flag + ") is in use"
                            + PortOwner.of(port).map(owner -> " by " + owner).orElse("")
                            + "; choose another one, or 0 to have one allocated",
                    taken);
        }
    }

    private static String text(InetSocketAddress address) {
        return address.getAddress().getHostAddress() + ":" + address.getPort();
    }
}
