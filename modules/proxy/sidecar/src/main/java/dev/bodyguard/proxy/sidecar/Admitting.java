package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.wire.Admittance;
import java.net.InetSocketAddress;

/// What may be spoken to each of a pod's ports, as the plan in force says.
record Admitting(InForce<Generation> inForce) implements Admittance {
    private static final Speech.MutualTls MUTUAL_TLS = new Speech.MutualTls();
    private static final Speech.Anything ANYTHING = new Speech.Anything();
    private static final Speech.Plaintext PLAINTEXT = new Speech.Plaintext();

    @Override
    public Speech of(InetSocketAddress meant) {
        var rule = inForce.get().plan().inbound(meant.getPort());
        if (rule == null) {
            return new Speech.Nothing("the mesh has no port " + meant.getPort()
                    + " of this pod: declare it as a containerPort, or exclude it from capture"
                    + " (traffic.sidecar.istio.io/excludeInboundPorts)");
        }
        var asked = rule.security();
        if (!asked.tls()) {
            return PLAINTEXT;
        }
        return asked.plaintext() ? ANYTHING : MUTUAL_TLS;
    }
}
