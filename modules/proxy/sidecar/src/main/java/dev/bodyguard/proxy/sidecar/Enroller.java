package dev.bodyguard.proxy.sidecar;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.Semaphore;

/// Keeps the workload enrolled as long as its requests could be answered: once there are certificate, listeners, rules
/// and the app itself; not while the app does not listen.
final class Enroller {
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(50);
    /// How often in a row the port must be found closed: an app that restarts at once is not worth telling the mesh.
    private static final int LOOKS = 4;

    private final Readiness readiness;
    private final int appPort;
    private final Semaphore doubts = new Semaphore(0);

    Enroller(Readiness readiness, int appPort) {
        this.readiness = readiness;
        this.appPort = appPort;
    }

    void start(Registration registration) {
        Thread.ofPlatform().name("enroller").daemon(true).start(() -> {
            try {
                readiness.await(Readiness.Need.CERTIFICATE, Readiness.Need.LISTENERS, Readiness.Need.INBOUND);
                awaitApp();
                registration.start();
                while (!readiness.isDraining()) {
                    doubts.acquire();
                    doubts.drainPermits();
                    if (appIsGone()) {
                        readiness.lost(Readiness.Need.APP);
                        registration.withdraw();
                        awaitApp();
                        registration.comeBack();
                    }
                }
            } catch (InterruptedException _) {
                // The process ends.
            }
        });
    }

    /// A request found the app not listening; from any thread.
    void doubt() {
        if (doubts.availablePermits() == 0) {
            doubts.release();
        }
    }

    private void awaitApp() throws InterruptedException {
        while (!appListens()) {
            if (readiness.isDraining()) {
                return;
            }
            Thread.sleep(BETWEEN_LOOKS);
        }
        readiness.met(Readiness.Need.APP);
    }

    private boolean appIsGone() throws InterruptedException {
        for (int look = 0; look < LOOKS; look++) {
            if (appListens()) {
                return false;
            }
            Thread.sleep(BETWEEN_LOOKS);
        }
        return !readiness.isDraining();
    }

    private boolean appListens() {
        try (var probe = new Socket()) {
            probe.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), appPort), 200);
            return true;
        } catch (IOException _) {
            return false;
        }
    }
}
