package dev.bodyguard.proxy.sidecar;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// The app that a former sidecar of this workload left behind when it was killed: it holds the app's port, and its
/// proxy is gone.
record Orphan(StateFolder state, String workload, SidecarLog log) {
    private static final int SECONDS_TO_LEAVE = 5;

    void stop() throws InterruptedException {
        var found = state.orphan(workload);
        if (found.isEmpty()) {
            return;
        }
        var process = found.get();
        var _ = process.destroy();
        try {
            var _ = process.onExit().get(SECONDS_TO_LEAVE, TimeUnit.SECONDS);
        } catch (TimeoutException | ExecutionException _) {
            var _ = process.destroyForcibly();
        }
        log.orphanStopped(process.pid());
    }
}
