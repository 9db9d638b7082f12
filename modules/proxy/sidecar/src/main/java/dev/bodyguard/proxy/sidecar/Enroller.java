package dev.bodyguard.proxy.sidecar;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;

/// Enrols the workload once its requests could be answered: certificate, listeners, rules, and the app itself.
record Enroller(Readiness readiness, Registration registration, int appPort) {
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(50);

    void start() {
        Thread.ofPlatform().name("enroller").daemon(true).start(() -> {
            try {
                readiness.await(Readiness.Need.CERTIFICATE, Readiness.Need.LISTENERS, Readiness.Need.INBOUND);
                while (!appListens() && !readiness.isDraining()) {
                    Thread.sleep(BETWEEN_LOOKS);
                }
                if (!readiness.isDraining()) {
                    readiness.met(Readiness.Need.APP);
                    registration.start();
                }
            } catch (InterruptedException _) {
                // The process ends.
            }
        });
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
