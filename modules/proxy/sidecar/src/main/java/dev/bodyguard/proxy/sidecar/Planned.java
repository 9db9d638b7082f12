package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.Plan;
import java.util.Set;

/// What follows from a new plan: requests that waited for it go on, and the sidecar may be ready.
record Planned(Readiness readiness, Parking parking, int appPort) implements Planner.Listener {
    @Override
    public void planned(Plan plan, Set<String> listeners) {
        if (listeners.contains(Planner.OUTBOUND)) {
            readiness.met(Readiness.Need.OUTBOUND);
        }
        if (plan.inbound(appPort) != null) {
            readiness.met(Readiness.Need.INBOUND);
        }
        parking.look();
    }
}
