package dev.bodyguard.proxy.sidecar;

import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Says in `sidecar.json` where this sidecar is. Where two were started under one name, the one that discovery gave the
/// name to is who is found there.
final class Announcement {
    private final StateFolder state;
    private final String workload;
    private volatile StateFolder.@Nullable Running running;

    Announcement(StateFolder state, String workload) {
        this.state = state;
        this.workload = workload;
    }

    /// Announces this sidecar, unless another one that still runs has announced itself.
    void make(StateFolder.Running what) throws IOException {
        running = what;
        if (state.otherSidecar(workload).isEmpty()) {
            state.announce(workload, what);
        }
    }

    /// The name is this sidecar's, whoever was announced before.
    void confirm() throws IOException {
        var what = running;
        if (what != null) {
            state.announce(workload, what);
        }
    }

    /// The process that is announced in this one's place.
    Optional<Long> other() {
        return state.otherSidecar(workload);
    }
}
