package dev.bodyguard.proxy.sidecar;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;

/// What is still missing before this sidecar may be sent traffic.
///
/// Any thread may say that something arrived; it stays so until the sidecar drains.
final class Readiness {
    enum Need {
        CERTIFICATE("no certificate yet: identity has not answered"),
        LISTENERS("the inbound and outbound ports are not open yet"),
        INBOUND("config has not said yet how to serve the app's port"),
        OUTBOUND("config has not said yet what to do with unknown hosts"),
        APP("the app does not listen yet on the port of --app-port"),
        ENROLLED("discovery has not acknowledged this workload yet");

        final String sentence;

        Need(String sentence) {
            this.sentence = sentence;
        }
    }

    private final Map<Need, CountDownLatch> needs;
    private volatile boolean draining;

    Readiness() {
        var all = new TreeMap<Need, CountDownLatch>();
        for (var need : Need.values()) {
            all.put(need, new CountDownLatch(1));
        }
        needs = Map.copyOf(all);
    }

    void met(Need need) {
        latch(need).countDown();
    }

    void drain() {
        draining = true;
    }

    boolean isDraining() {
        return draining;
    }

    /// Blocks until every given need is met.
    void await(Need... wanted) throws InterruptedException {
        for (var need : wanted) {
            latch(need).await();
        }
    }

    /// Why not, in sentences; empty when ready.
    List<String> missing() {
        if (draining) {
            return List.of("draining: this sidecar is about to end");
        }
        return needs.entrySet().stream()
                .filter(need -> need.getValue().getCount() > 0)
                .map(Map.Entry::getKey)
                .sorted()
                .map(need -> need.sentence)
                .toList();
    }

    private CountDownLatch latch(Need need) {
        var latch = needs.get(need);
        if (latch == null) {
            throw new IllegalStateException("no latch for " + need);
        }
        return latch;
    }
}
