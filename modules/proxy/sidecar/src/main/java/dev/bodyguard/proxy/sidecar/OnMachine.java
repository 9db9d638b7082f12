package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.identity.spiffe.TrustBundle;
import dev.bodyguard.machine.LoopbackPort;
import dev.bodyguard.machine.PortOwner;
import dev.bodyguard.proxy.wire.Listener;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.EnumSet;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// A sidecar on a machine, for an app that finds it by `HTTP_PROXY`: the sidecar ▶ listeners ▶ enrol ▶ serve ▶ wait ▶
/// drain.
final class OnMachine {
    private static final Duration PATIENCE_FOR_CONFIG = Duration.ofSeconds(5);
    private static final Duration PATIENCE_FOR_THE_CONTROL_PLANE = Duration.ofSeconds(30);

    private OnMachine() {}

    /// Runs until the app ends, if there is one; its status.
    static int serve(Standalone settings) throws IOException, TimeoutException, InterruptedException {
        var ground = Ground.lacking(EnumSet.allOf(Readiness.Need.class));
        var log = ground.log();
        var readiness = ground.readiness();
        var state = new StateFolder(settings.state());
        state.requireFree(settings.workload(), settings.namespace(), settings.service());
        // Without a command the app that was left behind is the one that is meant.
        if (!settings.command().isEmpty()) {
            new Orphan(state, settings.workload(), log).stop();
        }
        requireFreeFor(settings);
        var enroller = new Enroller(readiness, settings.appPort());
        var app = "127.0.0.1:" + settings.appPort();
        var standstill =
                new AppStandstill(app, () -> PortOwner.all(settings.appPort()), ground.clock(), log.ofAppsStandstill());
        var sidecar = new Sidecar(
                ground,
                settings,
                root(state, settings.workload(), log),
                () -> state.joinToken(settings.namespace(), settings.service()),
                new Whereabouts.InFolder(state),
                new AppSide.OnePort(
                        settings.appPort(),
                        enroller::doubt,
                        new AppSilence(app, ground.clock(), log.ofApp()),
                        standstill::sentence),
                PATIENCE_FOR_THE_CONTROL_PLANE);

        // Listeners
        // An app that is there already shall not be answered before what is remembered is in force.
        boolean remembered = sidecar.follow();
        var outbound = listen(
                "--outbound-port",
                settings.outboundPort(),
                address -> Listener.outbound(
                        sidecar.loops, address, settings.limits(), sidecar.outboundPath, sidecar.outboundTunnels, log));
        sidecar.outboundPort.set(outbound.address().getPort());
        var inbound = listen(
                "--inbound-port",
                settings.inboundPort(),
                address -> Listener.inbound(
                        sidecar.loops,
                        address,
                        settings.limits(),
                        sidecar.tls,
                        new Admitting(sidecar.inForce, sidecar.certificates).before(settings.appPort()),
                        sidecar.inboundPath,
                        sidecar.inboundTunnels,
                        log));
        readiness.met(Readiness.Need.LISTENERS);

        // Enrolment, and the end of it all
        var announcement = new Announcement(state, settings.workload());
        var registration = new Registration(
                sidecar.controlPlane::discovery,
                new Node(settings).workload(inbound.address().getPort()),
                log.ofRegistration(readiness, remembered, announcement),
                new SecureRandom());
        var drain = new Drain(
                readiness, registration::drain, inbound, outbound, Drain.Times.within(settings.drainTime()), log);
        var admin = listen(
                "--admin-port",
                settings.adminPort(),
                address -> AdminServer.start(address, sidecar.pages(drain).all()));
        var ended = new AtomicReference<@Nullable Child>();
        Runtime.getRuntime()
                .addShutdownHook(new Thread(() -> end(drain, ended.get(), sidecar, settings.drainTime(), log)));

        // Serve
        sidecar.telemetry.start();
        standstill.watch(() -> inbound.connections() > 0);
        Child child = null;
        if (!settings.command().isEmpty()) {
            // What an app asks in its first moments shall not fail because its sidecar is still new here.
            if (!readiness.await(PATIENCE_FOR_CONFIG, Readiness.Need.INBOUND, Readiness.Need.OUTBOUND)) {
                log.progress("config has not answered within " + PATIENCE_FOR_CONFIG.toSeconds()
                        + " s; the app is started all the same");
            }
            requireFreeFor(settings);
            child = Child.start(settings.command(), text(outbound.address()));
            ended.set(child);
        }
        var running = new StateFolder.Running(
                ProcessHandle.current().pid(),
                child == null ? 0 : child.pid(),
                text(outbound.address()),
                text(inbound.address()),
                "127.0.0.1:" + admin.port(),
                sidecar.id.toString());
        announcement.make(running);
        log.progress("sidecar " + settings.workload() + " outbound " + running.outbound() + " inbound "
                + running.inbound() + " admin " + running.admin() + " app " + app + " as " + sidecar);
        enroller.start(registration);

        // Wait
        if (child == null) {
            Thread.currentThread().join();
        }
        int status = child == null ? 0 : child.await();
        log.progress("the app ended with status " + status + lost(status, settings.appPort()));
        drain.run();
        return status;
    }

    /// The sidecar keeps and tells what is left to be while the app ends.
    private static void end(Drain drain, @Nullable Child app, Sidecar sidecar, Duration atMost, SidecarLog log) {
        long began = System.nanoTime();
        drain.run();
        if (app == null) {
            sidecar.close();
            return;
        }
        app.askToEnd();
        sidecar.close();
        if (app.end(atMost.minusNanos(System.nanoTime() - began))) {
            log.farewell("killed the app, pid " + app.pid() + ": it had not ended " + atMost.toMillis()
                    + " ms after this sidecar was told to (--drain-time)");
        }
    }

    /// Whoever has the port of an app that is yet to be started is not that app: the mesh's requests would be theirs.
    /// Where no app is to be started, whoever has it is taken for the app.
    private static void requireFreeFor(Standalone settings) throws IOException {
        int port = settings.appPort();
        if (!settings.command().isEmpty() && !LoopbackPort.isFree(port)) {
            throw new IOException("port 127.0.0.1:" + port + " (--app-port) is in use by " + LoopbackPort.holder(port)
                    + ", so the app cannot have it; stop that, or give the app and --app-port another port, or leave"
                    + " -- COMMAND out where that is the app");
        }
    }

    /// Why an app may have failed; nothing where it did not, or its port is free.
    private static String lost(int status, int port) {
        return status == 0 || LoopbackPort.isFree(port)
                ? ""
                : "; port 127.0.0.1:" + port + " (--app-port) is in use by " + LoopbackPort.holder(port);
    }

    /// The mesh's root, once there is one; it says which trust domain this is in.
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
        return TrustBundle.read(state.rootCertificates());
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
