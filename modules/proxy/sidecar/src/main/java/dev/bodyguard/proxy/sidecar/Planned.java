package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.Plan;
import java.util.List;
import java.util.Set;

/// What follows from a new plan: requests that waited for it go on, and the sidecar may be ready.
record Planned(Readiness readiness, Parking parking, List<Integer> appPorts, Certificates certificates)
        implements Planner.Listener {
    @Override
    public void planned(Plan plan, Set<String> listeners) {
        certificates.keep(plan.certificates());
        if (listeners.contains(Planner.OUTBOUND)) {
            readiness.met(Readiness.Need.OUTBOUND);
        }
        if (listeners.contains(Planner.INBOUND) && plan.inboundPorts().containsAll(appPorts)) {
            readiness.met(Readiness.Need.INBOUND);
        }
        parking.look();
    }
}
