package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.identity.spiffe.JoinToken;
import dev.bodyguard.identity.spiffe.TrustBundle;
import dev.bodyguard.proxy.wire.Listener;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.EnumSet;
import java.util.concurrent.TimeoutException;

/// A sidecar in a pod, to which the kernel hands the app's connections: the sidecar ▶ captured ports ▶ what the kubelet
/// asks ▶ serve until it is told to end ▶ drain. Nobody is told of it: discovery watches pods.
final class AtPod {
    private static final int ADMIN = 15000;
    private static final int OUTBOUND = 15001;
    private static final int INBOUND = 15006;
    private static final int APP = 15020;
    private static final int HEALTH = 15021;
    private static final int STATS = 15090;

    /// Beyond, the kubelet starts it again.
    private static final Duration PATIENCE_FOR_THE_CONTROL_PLANE = Duration.ofMinutes(10);

    /// Within the usual grace period of 30 s. An endpoint is gone from everybody's plan after two, for callers hear of
    /// it a moment later than the pod.
    private static final Drain.Times DRAIN =
            new Drain.Times(Duration.ofSeconds(2), Duration.ofSeconds(20), Duration.ofSeconds(25));

    private AtPod() {}

    static int serve(InPod settings) throws IOException, TimeoutException, InterruptedException {
        var ground = Ground.lacking(EnumSet.of(
                Readiness.Need.CERTIFICATE, Readiness.Need.LISTENERS, Readiness.Need.INBOUND, Readiness.Need.OUTBOUND));
        var log = ground.log();
        var place = new AppPlace(settings.ips(), settings.appPorts());
        var sidecar = new Sidecar(
                ground,
                settings,
                TrustBundle.read(settings.trustDomain(), settings.root()),
                () -> new JoinToken(settings.tokenNow()),
                settings.controlPlane(),
                new AppSide.OfPod(place),
                PATIENCE_FOR_THE_CONTROL_PLANE);

        // Captured ports
        var outbound = everywhere(
                OUTBOUND,
                address -> Listener.capturedOutbound(
                        sidecar.loops, address, settings.limits(), sidecar.outboundPath, sidecar.outboundTunnels, log));
        sidecar.outboundPort.set(OUTBOUND);
        sidecar.follow();
        var inbound = everywhere(
                INBOUND,
                address -> Listener.capturedInbound(
                        sidecar.loops,
                        address,
                        settings.interception(),
                        settings.limits(),
                        sidecar.tls,
                        new Admitting(sidecar.inForce, sidecar.certificates),
                        sidecar.inboundPath,
                        sidecar.inboundTunnels,
                        log));
        ground.readiness().met(Readiness.Need.LISTENERS);

        // What the kubelet, Prometheus and operators ask
        var drain =
                new Drain(ground.readiness(), atMost -> awaitForgotten(inbound, atMost), inbound, outbound, DRAIN, log);
        var pages = new PodPages(
                ground.readiness(),
                ground.meters(),
                new AppMetrics(settings.appMetrics()),
                new Prober(
                        place,
                        new GrpcHealth(sidecar.upstreams, sidecar.loops.all().getLast(), place)));
        var threads = PodPages.appThreads();
        var _ = everywhere(HEALTH, address -> AdminServer.start(address, pages.health()));
        var _ = everywhere(STATS, address -> AdminServer.start(address, pages.stats()));
        var _ = everywhere(APP, address -> AdminServer.start(address, pages.ofApp(settings.probes()), threads));
        var _ = AdminServer.start(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), ADMIN),
                sidecar.pages(drain).all());
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            drain.run();
            sidecar.close();
        }));

        // Serve
        sidecar.telemetry.start();
        log.progress("sidecar of pod " + settings.namespace() + "/" + settings.workload() + " at " + settings.address()
                + " ports " + settings.appPorts() + " by " + settings.interception() + " as " + sidecar);
        Thread.currentThread().join();
        return 0;
    }

    /// Whoever comes meanwhile is let in. A pod that nobody has ever called need not wait.
    private static void awaitForgotten(Listener inbound, Duration time) throws InterruptedException {
        if (inbound.wasUsed()) {
            Thread.sleep(time);
        }
    }

    /// Opens a port.
    private interface Opening<T> {
        T at(InetSocketAddress address) throws IOException;
    }

    /// For both families, or for the one that there is.
    private static <T> T everywhere(int port, Opening<T> opening) throws IOException {
        try {
            return opening.at(new InetSocketAddress(InetAddress.ofLiteral("::"), port));
        } catch (IOException noIpv6) {
            try {
                return opening.at(new InetSocketAddress(InetAddress.ofLiteral("0.0.0.0"), port));
            } catch (IOException taken) {
                taken.addSuppressed(noIpv6);
                throw taken;
            }
        }
    }
}
